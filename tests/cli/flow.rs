//! The whole way through the binary: pack, push, pull, inspect, tag, cp, rm over a registry.

use std::fs;
use std::path::{Path, PathBuf};

use modelctl::oci::Digest;

use crate::support::embedded::Embedded;
use crate::support::env::Env;
use crate::support::scripted::Scripted;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp/model.onnx");

/// A place with a copy of the example model, and a registry.
struct Flow {
    env: Env,
    registry: Embedded,
}

impl Flow {
    fn new() -> Self {
        let env = Env::new();
        env.write("mlp/model.onnx", fs::read(MODEL).unwrap());
        env.write("mlp/labels.txt", "low\nhigh\n");
        Self {
            env,
            registry: Embedded::new(),
        }
    }

    fn reference(&self, rest: &str) -> String {
        format!("{}/demo/{rest}", self.registry.address)
    }

    /// Pushes the model straight from its folder, and gives its reference by digest.
    fn pushed(&self) -> String {
        let reference = self.reference("mlp:v1");
        let digest = self.env.run(&["push", "./mlp", &reference]).ok();
        self.reference(&format!("mlp@{digest}"))
    }

    fn is_the_model(&self, folder: &str) {
        for name in ["model.onnx", "labels.txt"] {
            let read = |folder: &str| fs::read(self.env.path(folder).join(name)).unwrap();
            assert!(read("mlp") == read(folder), "{name} came back differently");
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_packed_is_pushed_pulled_and_verified() {
    let flow = Flow::new();
    let (env, reference) = (&flow.env, flow.reference("mlp:v1"));
    let packed = env.run(&["pack", "./mlp", "-t", &reference]);
    packed.is("\
exit 0
sha256:[DIGEST]
--- stderr
2 files (592 B) in 3 layers (2.9 kB)
packed store:127.0.0.1:[PORT]/demo/mlp:v1: 5 blobs (2.9 kB) new, 0 there already
");
    let pushed = env.run(&["push", &reference]);
    pushed.is("\
exit 0
sha256:[DIGEST]
--- stderr
pushed 127.0.0.1:[PORT]/demo/mlp:v1: 5 blobs (2.9 kB) new, 0 there already
");
    assert_eq!(packed.ok(), pushed.ok());
    let pinned = flow.reference(&format!("mlp@{}", pushed.ok()));
    let pulled = env.run(&["pull", &pinned, "-o", "out"]);
    pulled.is("\
exit 0
sha256:[DIGEST]
--- stderr
pulled 3 files (1.5 kB) into out; reused 592 B, fetched 306 B
");
    assert_eq!(packed.ok(), pulled.ok());
    flow.is_the_model("out");
    env.run(&["verify", "./out"]).is("\
exit 0
pass  model-manifest  .modelctl/manifest.json
pass  file            labels.txt               sha256:[DIGEST]
pass  file            model.onnx               sha256:[DIGEST]
--- stderr
verified ./out: 3 checks
");
    env.run(&["verify", &pinned, "-q"]).is("\
exit 0
pass  manifest        sha256:[DIGEST]
pass  model-manifest  .modelctl/manifest.json
pass  config          sha256:[DIGEST]  sha256:[DIGEST]
pass  layer           model.onnx                                                               sha256:[DIGEST]
pass  layer           labels.txt                                                               sha256:[DIGEST]
pass  file            labels.txt
pass  file            model.onnx
");
}

#[test]
fn push_from_a_path_gives_the_same_digest_and_writes_no_store() {
    let flow = Flow::new();
    let (env, reference) = (&flow.env, flow.reference("mlp:v1"));
    let pushed = env.run(&["push", "./mlp", &reference]).ok();
    assert!(!env.root("home/.local").exists());
    assert_eq!(pushed, env.run(&["pack", "./mlp", "-t", &reference]).ok());
    env.run(&["push", &reference]).is("\
exit 0
sha256:[DIGEST]
--- stderr
pushed 127.0.0.1:[PORT]/demo/mlp:v1: nothing new, 5 there already
");
}

#[test]
fn missing_tag_is_latest_for_pack_and_push_and_an_error_elsewhere() {
    let flow = Flow::new();
    let (env, reference) = (&flow.env, flow.reference("mlp"));
    env.run(&["pack", "./mlp", "-t", &reference, "-q"]).ok();
    env.run(&["push", &reference, "-q"]).ok();
    env.run(&["ls", &reference]).is("exit 0\nlatest\n");
    for command in ["pull", "verify", "inspect", "run", "rm"] {
        env.run(&[command, &reference]).is("\
exit 2
--- stderr
error: `127.0.0.1:[PORT]/demo/mlp` has neither a tag nor a digest

hint: name a tag, as in `127.0.0.1:[PORT]/demo/mlp:latest`
");
    }
}

#[test]
fn default_registry_completes_a_reference() {
    let flow = Flow::new();
    let registry = flow.registry.address.to_string();
    flow.pushed();
    let env = &flow.env;
    env.run(&["ls", "demo/mlp"]).is("\
exit 2
--- stderr
error: `demo/mlp` names no registry, and no default registry is set

hint: name one, as in `registry.example/demo/mlp`, or set a default with `--registry` or MODELCTL_REGISTRY; an entry of the local store is `store:demo/mlp`
");
    env.run(&["ls", "demo/mlp", "--registry", &registry])
        .is("exit 0\nv1\n");
    env.run(&["config", "set", "registry", &registry]).ok();
    env.run(&["ls", "demo/mlp"]).is("exit 0\nv1\n");
    env.run(&["pull", "demo/mlp:v1", "-o", "out", "-q"]).ok();
    flow.is_the_model("out");
}

#[test]
fn folder_without_its_dot_slash_is_pointed_out() {
    Flow::new().env.run(&["verify", "mlp"]).is("\
exit 2
--- stderr
error: `mlp` names no registry, and no default registry is set

hint: a file or folder here is `./mlp`
");
}

#[test]
fn pull_without_a_folder_fills_the_store() {
    let flow = Flow::new();
    let (env, pinned) = (&flow.env, flow.pushed());
    env.run(&["pull", &flow.reference("mlp:v1")]).is("\
exit 0
sha256:[DIGEST]
--- stderr
pulled store:127.0.0.1:[PORT]/demo/mlp:v1: 5 blobs (2.9 kB) new, 0 there already
");
    env.run(&["pull", &pinned, "-q"]).ok();
    env.run(&["ls"]).is("\
exit 0
NAME                                                                                              SIZE    DIGEST
127.0.0.1:[PORT]/demo/mlp:v1                                                                       2.9 kB  sha256:[DIGEST]
127.0.0.1:[PORT]/demo/mlp@sha256:[DIGEST]  2.9 kB  sha256:[DIGEST]
");
    let kept = format!("store:{pinned}");
    env.run(&["pull", &kept, "-o", "out", "-q"]).ok();
    flow.is_the_model("out");
}

#[test]
fn pull_keep_fills_the_store_and_the_folder() {
    let flow = Flow::new();
    flow.pushed();
    let reference = flow.reference("mlp:v1");
    flow.env
        .run(&["pull", &reference, "-o", "out", "--keep"])
        .ok();
    flow.is_the_model("out");
    flow.env
        .run(&["verify", &format!("store:{reference}")])
        .ok();
}

#[test]
fn pull_never_replaces_what_no_pull_wrote() {
    let flow = Flow::new();
    let (env, pinned) = (&flow.env, flow.pushed());
    env.write("out/mine.txt", "mine");
    env.run(&["pull", &pinned, "-o", "out"]).is("\
exit 2
--- stderr
error: `out` is not empty and no complete pull wrote it: use --force to replace it
");
    assert!(env.path("out/mine.txt").exists());
    env.run(&["pull", &pinned, "-o", "out", "--force"]).ok();
    assert!(!env.path("out/mine.txt").exists());
    // An earlier pull is replaced without being asked.
    env.run(&["pull", &pinned, "-o", "out"]).ok();
    flow.is_the_model("out");
}

#[test]
fn pull_writes_only_what_was_asked_for() {
    let flow = Flow::new();
    let (env, pinned) = (&flow.env, flow.pushed());
    env.run(&["pull", &pinned, "-o", "bare", "--bare", "-q"])
        .ok();
    assert_eq!(files(&env.path("bare")).len(), 2);
    env.run(&["pull", &pinned, "-o", "some", "--only", "*.txt", "-q"])
        .ok();
    assert_eq!(files(&env.path("some")), [env.path("some/labels.txt")]);
    env.run(&["pull", &pinned, "-o", "split", "--layout", "split", "-q"])
        .ok();
    env.run(&["verify", "./split", "-q"]).ok();
    env.run(&["pull", &pinned, "--bare"]).is("\
exit 2
--- stderr
error: the following required arguments were not provided:
  --output <DIR>

Usage: modelctl pull --output <DIR> --bare <ARTIFACT>

For more information, try '--help'.
");
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

#[test]
fn tag_and_rm_work_at_the_registry() {
    let flow = Flow::new();
    let (env, pinned) = (&flow.env, flow.pushed());
    env.run(&["tag", &pinned, "v2", "stable", "-q"]).ok();
    env.run(&["ls", &flow.reference("mlp")])
        .is("exit 0\nstable\nv1\nv2\n");
    env.run(&["rm", &flow.reference("mlp:v2")]).is("\
exit 0
--- stderr
removed 127.0.0.1:[PORT]/demo/mlp:v2 (sha256:[DIGEST])
");
    env.run(&["rm", &pinned, "-q"]).ok();
    env.run(&["pull", &flow.reference("mlp:v1")]).is("\
exit 3
--- stderr
error: `GET http://127.0.0.1:[PORT]/v2/demo/mlp/manifests/v1` failed: not found (404): MANIFEST_UNKNOWN the repository has no manifest tagged v1

hint: `modelctl ls REGISTRY/REPOSITORY` lists tags, `modelctl ls` the local store
");
}

#[test]
fn copies_between_registries_layouts_and_archives_keep_the_digest() {
    let (flow, other) = (Flow::new(), Embedded::new());
    let (env, pinned) = (&flow.env, flow.pushed());
    let digest = pinned.rsplit_once('@').unwrap().1;
    let elsewhere = format!("{}/copied/mlp:v1", other.address);
    let way = [
        &pinned,
        "oci:layout:v1",
        "oci-archive:mlp.tar:v1",
        "store:kept:v1",
        &elsewhere,
    ];
    for step in way.windows(2) {
        assert_eq!(env.run(&["cp", step[0], step[1]]).ok(), digest, "{step:?}");
    }
    for (index, place) in way.iter().enumerate() {
        let out = format!("out{index}");
        env.run(&["pull", place, "-o", &out, "-q"]).ok();
        flow.is_the_model(&out);
    }
}

/// Security rows A31 and A33: no path lets changed bytes through.
#[test]
fn changed_bytes_are_refused_on_every_path() {
    let flow = Flow::new();
    let (env, pinned) = (&flow.env, flow.pushed());
    let layer = Digest::sha256(&fs::read(MODEL).unwrap());
    let file = flow.registry.content(&layer);
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::remove_file(&file).unwrap();
    fs::write(&file, bytes).unwrap();
    let ways: [&[&str]; 6] = [
        &["pull", &pinned],
        &["pull", &pinned, "-o", "out"],
        &["pull", &pinned, "-o", "out", "--layout", "split"],
        &["cp", &pinned, "oci-archive:out"],
        &["verify", &pinned],
        &["run", &pinned],
    ];
    for way in ways {
        let refused = env.run(way);
        assert_eq!(refused.code, Some(5), "{way:?}: {refused}");
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains(&layer.to_string()), "{way:?}: {refused}");
        assert!(!env.path("out").exists(), "{way:?} left something");
    }
    env.run(&["ls"]).is("exit 0\n");
}

/// Security row A34: a tag is resolved once, and everything after goes by digest.
#[test]
fn tag_is_asked_for_once() {
    let env = Env::new();
    env.write("model/weights.bin", [7; 3000]);
    let ways: [&[&str]; 6] = [
        &["pull", "{}"],
        &["pull", "{}", "-o", "out", "--keep"],
        &["verify", "{}"],
        &["inspect", "{}"],
        &["cp", "{}", "oci:layout:v1"],
        &["run", "{}"],
    ];
    for way in ways {
        let server = Scripted::honest();
        let reference = format!("{}/m:v1", server.address);
        env.run(&["push", "./model", &reference, "-q"]).ok();
        let before = server.log().len();
        let words: Vec<String> = way
            .iter()
            .map(|word| word.replace("{}", &reference))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        env.run(&words);
        let log = server.log().split_off(before);
        let by_tag = log
            .iter()
            .filter(|seen| seen.path().ends_with("/manifests/v1"));
        assert_eq!(by_tag.count(), 1, "{way:?}: {:?}", server.lines());
    }
}
