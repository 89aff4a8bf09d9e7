//! The whole way through the binary: pack, push, pull, tag, cp, rm over a registry.

use std::fs;

use modelctl::oci::Digest;

use crate::support::embedded::Embedded;
use crate::support::env::Env;
use crate::support::scripted::Scripted;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp/model.onnx");

/// A place with a copy of the example model, and a registry.
pub(super) struct Flow {
    pub(super) env: Env,
    registry: Embedded,
}

impl Flow {
    pub(super) fn new() -> Self {
        let env = Env::new();
        env.write("mlp/model.onnx", fs::read(MODEL).unwrap());
        env.write("mlp/labels.txt", "low\nhigh\n");
        Self {
            env,
            registry: Embedded::new(),
        }
    }

    pub(super) fn reference(&self, rest: &str) -> String {
        format!("{}/demo/{rest}", self.registry.address)
    }

    /// Pushes the model straight from its folder, and gives its reference by digest.
    pub(super) fn pushed(&self) -> String {
        let reference = self.reference("mlp:v1");
        let digest = self.env.run(&["push", "./mlp", &reference]).ok();
        self.reference(&format!("mlp@{digest}"))
    }

    pub(super) fn is_the_model(&self, folder: &str) {
        for name in ["model.onnx", "labels.txt"] {
            let read = |folder: &str| fs::read(self.env.path(folder).join(name)).unwrap();
            assert!(read("mlp") == read(folder), "{name} came back differently");
        }
    }
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
