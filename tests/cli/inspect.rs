//! What `inspect` says of a model in a registry and in a folder, and what refers to it.

use std::collections::BTreeMap;

use modelctl::oci::{Descriptor, Digest, Document, Manifest, media_type};
use modelctl::store::Layout;

use super::flow::Flow;
use crate::support::artifact;
use crate::support::embedded::Embedded;
use crate::support::env::Env;
use crate::support::scripted::{Reply, Scripted};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// An artifact in `oci:layout:v1` with so many attestations of different predicate types.
fn attested(env: &Env, attestations: usize) -> Descriptor {
    let folder = env.path("layout");
    let digest = artifact::write(&folder, "v1", b"content");
    let layout = Layout::open(&folder).unwrap();
    let entries = layout.entries().unwrap().into_iter();
    let subject = { entries }
        .find(|entry| entry.manifest.digest == digest)
        .unwrap();
    let subject = Descriptor::new(subject.manifest.media_type, digest, subject.manifest.size);
    let put = |kind: &str, bytes: &[u8]| {
        let blob = Descriptor::of(kind, bytes);
        layout.put_blob(&blob, &mut &bytes[..]).unwrap();
        blob
    };
    for index in 0..attestations {
        let predicate = format!("https://example.com/predicate/{index:03}");
        let key = "dev.sigstore.bundle.predicateType".to_owned();
        let document = Document::from_manifest(Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: Some(BUNDLE.to_owned()),
            config: put(media_type::EMPTY, b"{}"),
            layers: vec![put(BUNDLE, format!("{{\"bundle\":{index}}}").as_bytes())],
            subject: Some(subject.clone()),
            annotations: BTreeMap::from([(key, predicate)]),
        });
        put(media_type::MANIFEST, document.raw());
        layout.list(&document.descriptor()).unwrap();
    }
    subject
}

#[test]
fn inspect_lists_what_refers_to_an_artifact_in_every_place() {
    let (env, registry) = (Env::new(), Embedded::new());
    attested(&env, 2);
    let remote = format!("{}/m:v1", registry.address);
    let old = Scripted::honest();
    let tagged = format!("{}/m:v1", old.address);
    for place in [&remote, &tagged, "oci-archive:x.tar:v1"] {
        env.run(&["cp", "oci:layout:v1", place, "-q"]).ok();
    }
    let listed = |place: &str| {
        let report = env.run(&["inspect", place, "--json"]).json();
        assert_eq!(report["moreReferrers"], false, "{report}");
        let mut referrers = report["referrers"].as_array().unwrap().clone();
        referrers.sort_by_key(|referrer| referrer["predicateType"].to_string());
        referrers
    };
    let here = listed("oci:layout:v1");
    assert_eq!(here.len(), 2);
    assert_eq!(
        here[1]["predicateType"],
        "https://example.com/predicate/001"
    );
    assert_eq!(here[1]["artifactType"], BUNDLE);
    for place in [&remote, &tagged, "oci-archive:x.tar:v1"] {
        assert_eq!(listed(place), here, "{place}");
    }
    let shown = env.run(&["inspect", "oci:layout:v1"]);
    let (_, table) = shown.stdout.split_once("\nREFERRER").unwrap();
    let row = format!("{BUNDLE}  https://example.com/predicate/000");
    assert!(table.contains(&row), "{shown}");
}

/// Security row A26: who refers to an artifact is up to others, and so is how many they are.
#[test]
fn only_the_first_fifty_referrers_are_listed() {
    let (env, registry) = (Env::new(), Embedded::new());
    attested(&env, 51);
    let remote = format!("{}/m:v1", registry.address);
    env.run(&["cp", "oci:layout:v1", &remote, "-q"]).ok();
    for place in ["oci:layout:v1", &remote] {
        let report = env.run(&["inspect", place, "--json"]).json();
        assert_eq!(report["referrers"].as_array().unwrap().len(), 50);
        assert_eq!(report["moreReferrers"], true);
        let said = "… and more: the first 50 are listed\n";
        assert!(env.run(&["inspect", place]).stdout.ends_with(said));
    }
}

/// No more pages are asked for than are shown.
#[test]
fn endless_list_of_referrers_is_left_after_fifty() {
    let env = Env::new();
    let server = Scripted::start(|seen| {
        let (_, subject) = seen.path().split_once("/referrers/")?;
        let page: usize = seen.query("page").map_or(0, |page| page.parse().unwrap());
        let listed: Vec<_> = (0..20)
            .map(|index| {
                let content = format!("{subject} {page} {index}");
                Descriptor::of(media_type::MANIFEST, content.as_bytes())
            })
            .collect();
        let index = Document::from_index(modelctl::oci::Index::new(listed));
        let link = format!("<?page={}>; rel=\"next\"", page + 1);
        let reply = Reply::new(200, index.raw()).with("Content-Type", index.media_type());
        Some(reply.with("Link", link))
    });
    attested(&env, 0);
    let remote = format!("{}/m:v1", server.address);
    env.run(&["cp", "oci:layout:v1", &remote, "-q", "--no-referrers"])
        .ok();
    let report = env.run(&["inspect", &remote, "--json"]).json();
    assert_eq!(report["referrers"].as_array().unwrap().len(), 50);
    let asked = server.log().into_iter();
    let asked = asked.filter(|seen| seen.path().contains("/referrers/"));
    assert_eq!(asked.count(), 3);
}

#[test]
fn registry_that_fails_to_list_referrers_hides_nothing_else() {
    let env = Env::new();
    let server = Scripted::start(|seen| {
        let lists = seen.path().contains("/referrers/");
        lists.then(|| Reply::new(403, ""))
    });
    attested(&env, 0);
    let remote = format!("{}/m:v1", server.address);
    env.run(&["cp", "oci:layout:v1", &remote, "-q", "--no-referrers"])
        .ok();
    let shown = env.run(&["inspect", &remote]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stdout.contains("content.bin"), "{shown}");
    assert!(
        shown
            .stderr
            .starts_with("warning: what refers to it cannot be listed: `GET "),
        "{shown}"
    );
}

#[test]
fn inspect_reads_the_model_manifest_of_a_folder() {
    let flow = Flow::new();
    let pinned = flow.pushed();
    let (env, remote) = (&flow.env, ["inspect", &pinned, "--json"]);
    env.run(&["pull", &pinned, "-o", "out", "-q"]).ok();
    let local = env.run(&["inspect", "./out", "--json"]).json();
    assert_eq!(local["model"], env.run(&remote).json()["model"]);
    assert_eq!(local["name"], "./out");
    assert!(local.get("digest").is_none(), "{local}");
    assert!(
        env.run(&["inspect", "./out"])
            .stdout
            .contains("graph model.onnx")
    );
    env.run(&["inspect", "./out", "--raw"]).is("\
exit 2
--- stderr
error: --raw: a folder has no OCI manifest; name the artifact that it was pulled from
");
    env.run(&["inspect", "./mlp"]).is("\
exit 1
--- stderr
error: `./mlp` has no `.modelctl/manifest.json`: no complete pull wrote it, and there is nothing to verify it against
");
}

#[test]
fn inspect_reads_a_remote_model() {
    let flow = Flow::new();
    flow.pushed();
    flow.env.run(&["inspect", &flow.reference("mlp:v1")]).is("\
exit 0
name    127.0.0.1:[PORT]/demo/mlp:v1
digest  sha256:[DIGEST]
type    application/vnd.modelctl.model.v1+json
size    2.9 kB in 3 layers
format  onnx

graph model.onnx  (IR 8, opset ai.onnx 17, by modelctl-example)
  input   features  float[batch,10]
  output  score     float[batch,1]

FILE        SIZE   ROLE    SHA256
labels.txt  9 B    labels  fb2def5e9d7e0044680b15a93f8042fb2232a3dd046b95018a1f50cca66c4d3f
model.onnx  583 B  graph   9193b157ff7ea9af0dfdf0bdcfde25af14d3fffe9dfba212d119720de013fa14

LAYER                    SIZE   DIGEST                                                                   TYPE
.modelctl/manifest.json  950 B  sha256:[DIGEST]  application/vnd.modelctl.manifest.v1.raw
model.onnx               583 B  sha256:[DIGEST]  application/vnd.modelctl.graph.v1.raw
labels.txt               9 B    sha256:[DIGEST]  application/vnd.modelctl.file.v1.raw
");
    let report = flow
        .env
        .run(&["inspect", &flow.reference("mlp:v1"), "--json"])
        .json();
    assert_eq!(report["layers"][2]["size"], 9);
    assert_eq!(
        report["model"]["graphs"][0]["interface"]["inputs"][0]["name"],
        "features"
    );
    let raw = flow
        .env
        .run(&["inspect", &flow.reference("mlp:v1"), "--raw"])
        .stdout;
    assert_eq!(report["digest"], Digest::sha256(raw.as_bytes()).to_string());
}
