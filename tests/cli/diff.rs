//! `diff`: the verdict, what changed, how much moves, and that no weight is read.

use std::fs;

use modelctl::store::Layout;

use crate::support::artifact;
use crate::support::env::{Env, Transcript};
use crate::support::models::{FLOAT, bytes, floats, inline_sum, model, node, number, tensor};
use crate::support::scripted::Scripted;

/// How many floats a tensor has that stands alone in its layer.
const ALONE: usize = 300_000;

/// A ValueInfoProto of floats, whose dimensions are numbers or symbols.
fn declared(name: &str, shape: &[&str]) -> Vec<u8> {
    let dimension = |text: &&str| match text.parse() {
        Ok(length) => bytes(1, number(1, length)),
        Err(_) => bytes(1, bytes(2, text)),
    };
    let shape: Vec<u8> = shape.iter().flat_map(dimension).collect();
    let tensor = [number(1, FLOAT), bytes(2, shape)].concat();
    [bytes(1, name), bytes(2, bytes(1, tensor))].concat()
}

/// A model that adds `w` to `x`: `y`, and whatever else is said of it.
fn adder(inputs: &[Vec<u8>], outputs: &[Vec<u8>], seed: u64) -> Vec<u8> {
    named_adder("w", inputs, outputs, seed)
}

fn named_adder(weight: &str, inputs: &[Vec<u8>], outputs: &[Vec<u8>], seed: u64) -> Vec<u8> {
    let weights = tensor(weight, FLOAT, &[1, 400], &floats(seed, 400));
    let inputs = inputs.iter().flat_map(|input| bytes(11, input));
    let outputs = outputs.iter().flat_map(|output| bytes(12, output));
    let named = [bytes(2, "adder"), bytes(5, weights)].concat();
    let graph = [node("Add", &["x", weight], "y"), named];
    let graph: Vec<u8> = { graph.concat() }
        .into_iter()
        .chain(inputs)
        .chain(outputs)
        .collect();
    model(&graph)
}

/// A transcript but for the line that says what moves.
fn without_upgrade(transcript: &Transcript) -> String {
    let text = transcript.to_string();
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| !line.starts_with("| upgrade | "))
        .collect()
}

/// Packs a model into the store under a name.
fn pack(env: &Env, name: &str, model: impl AsRef<[u8]>, more: &[&str]) {
    let _ = fs::remove_dir_all(env.path("model"));
    env.write("model/model.onnx", model);
    env.write("model/LICENSE", "MIT");
    env.run(&[&["pack", "./model", "-t", name, "-q"], more].concat())
        .ok();
}

#[test]
fn drop_in_with_other_weights_says_what_an_upgrade_moves() {
    let env = Env::new();
    let version = |seed| inline_sum(&[("a", ALONE, 1), ("b", ALONE, seed), ("c", 2000, 3)]);
    pack(&env, "m:v1", version(2), &["--version", "1"]);
    pack(&env, "m:v2", version(20), &["--version", "2"]);
    env.run(&["diff", "store:m:v1", "store:m:v2"]).is("\
exit 0
a  store:m:v1  sha256:[DIGEST]
b  store:m:v2  sha256:[DIGEST]

B is a drop-in for A: the interface is the same

tensors: 1 changed (1.2 MB), 2 unchanged (1.2 MB)
   GRAPH       TENSOR  A              B              SIZE    WHAT
~  model.onnx  b       float[300000]  float[300000]  1.2 MB  value

files: 1 changed (2.4 MB), 1 unchanged (3 B)
   FILE        A       B       WHAT
~  model.onnx  2.4 MB  2.4 MB  content

about: 1 change
WHAT     KEY  A  B
version       1  2

upgrade: 3 of 8 blobs new (1.2 MB of 2.4 MB); `pull --seed` with A pulled before fetches 1.2 MB
");
}

#[test]
fn what_breaks_callers_comes_first() {
    let env = Env::new();
    let v1 = adder(
        &[declared("x", &["batch", "400"])],
        &[declared("y", &["batch", "400"])],
        1,
    );
    let v2 = adder(
        &[declared("x", &["1", "400"]), declared("mask", &["1"])],
        &[declared("y", &["1", "400"]), declared("x", &["1", "400"])],
        1,
    );
    pack(&env, "m:v1", v1, &[]);
    pack(&env, "m:v2", v2, &[]);
    env.run(&["diff", "store:m:v1", "store:m:v2"]).is("\
exit 0
a  store:m:v1  sha256:[DIGEST]
b  store:m:v2  sha256:[DIGEST]

B is not a drop-in for A: callers break on 3 of 4 changes of the interface; first: input `mask` is new: float[1]

interface: 4 changes
CALLERS  GRAPH       WHAT    NAME  CHANGE  A                 B             WHY
breaks   model.onnx  input   mask  added                     float[1]
breaks   model.onnx  input   x     shape   float[batch,400]  float[1,400]  dimension 0
breaks   model.onnx  output  y     shape   float[batch,400]  float[1,400]  dimension 0 no longer follows another one
fine     model.onnx  output  x     added                     float[1,400]

files: 1 changed (1.8 kB), 1 unchanged (3 B)
   FILE        A       B       WHAT
~  model.onnx  1.7 kB  1.8 kB  content

upgrade: 4 of 6 blobs new (2.2 kB of 3.8 kB); `pull --seed` with A pulled before fetches 2.2 kB
");
    let markdown = env.run(&["diff", "store:m:v2", "store:m:v1", "--markdown"]);
    let expected = "\
exit 0
### B is not a drop-in for A: callers break on 2 of 4 changes of the interface

| | |
|---|---|
| A | `store:m:v2` `sha256:[DIGEST]` |
| B | `store:m:v1` `sha256:[DIGEST]` |
| interface | 4 changes |
| files | 1 changed (1.7 kB), 1 unchanged (3 B) |

**interface**

| CALLERS | GRAPH | WHAT | NAME | CHANGE | A | B | WHY |
|---|---|---|---|---|---|---|---|
| breaks | `model.onnx` | input | `mask` | removed | `float[1]` |  |  |
| breaks | `model.onnx` | output | `x` | removed | `float[1,400]` |  |  |
| fine | `model.onnx` | input | `x` | shape | `float[1,400]` | `float[batch,400]` |  |
| fine | `model.onnx` | output | `y` | shape | `float[1,400]` | `float[batch,400]` |  |

**files**

|  | FILE | A | B | WHAT |
|---|---|---|---|---|
| ~ | `model.onnx` | 1.8 kB | 1.7 kB | content |
";
    assert_eq!(without_upgrade(&markdown), expected);
}

#[test]
fn exit_code_says_whether_anything_differs() {
    let env = Env::new();
    let model = |seed| adder(&[declared("x", &["n"])], &[declared("y", &["n"])], seed);
    pack(&env, "m:v1", model(1), &[]);
    pack(&env, "m:same", model(1), &[]);
    pack(&env, "m:v2", model(2), &[]);
    env.run(&["pull", "store:m:v1", "-o", "v1", "-q"]).ok();
    let compare = |a: &str, b: &str| env.run(&["diff", a, b, "--exit-code"]);
    compare("store:m:v1", "store:m:same").is("\
exit 0
a  store:m:v1    sha256:[DIGEST]
b  store:m:same  sha256:[DIGEST]

A and B are the same
");
    for (a, b, code) in [
        ("./v1", "store:m:same", 0),
        ("store:m:v1", "./v1", 0),
        ("./v1", "./v1", 0),
        ("./v1", "store:m:v2", 8),
        ("store:m:v2", "./v1", 8),
        ("store:m:v1", "store:m:v2", 8),
    ] {
        let compared = compare(a, b);
        assert_eq!(compared.code, Some(code), "{a} {b}: {compared}");
        // What differs is said on stdout, and is no error.
        assert_eq!(compared.stderr, "");
        env.run(&["diff", a, b, "--json"]).ok();
    }
    // The same model, packed with something else around it.
    pack(&env, "m:noted", model(1), &["--annotation", "k=v"]);
    assert_eq!(compare("store:m:v1", "store:m:noted").code, Some(8));
    env.run(&["diff", "store:m:v1", "store:m:v9"]).is("\
exit 3
--- stderr
error: `m:v9` not found in `[ROOT]/home/.local/share/modelctl`

hint: `modelctl ls REGISTRY/REPOSITORY` lists tags, `modelctl ls` the local store
");
    let both = env.run(&["diff", "./v1", "./v1", "--json", "--markdown"]);
    assert_eq!((both.code, both.stdout.as_str()), (Some(2), ""), "{both}");
}

/// design.md, 3: `diff` reads kilobytes of a remote model.
#[test]
fn remote_models_are_compared_without_their_weights() {
    let (env, server) = (Env::new(), Scripted::honest());
    let tensors: Vec<(String, usize, u64)> = (0..2000)
        .map(|index| (format!("encoder.layer.{index}.weight"), 400, index))
        .collect();
    let version = |changed: usize| {
        let tensors = tensors
            .iter()
            .enumerate()
            .map(|(index, (name, count, seed))| {
                let seed = if index == changed { 9999 } else { *seed };
                (name.as_str(), *count, seed)
            });
        inline_sum(&tensors.collect::<Vec<_>>())
    };
    for (tag, changed) in [("v1", 0), ("v2", 1000)] {
        env.write("model.onnx", version(changed));
        let reference = format!("{}/m:{tag}", server.address);
        env.run(&["push", "./model.onnx", &reference, "-q"]).ok();
    }
    let before = server.log().len();
    let [a, b] = ["v1", "v2"].map(|tag| format!("{}/m:{tag}", server.address));
    let report = env.run(&["diff", &a, &b, "--json"]).json();
    assert_eq!(report["tensors"]["changed"].as_array().unwrap().len(), 2);
    assert_eq!(report["tensors"]["unchanged"]["count"], 1998);
    let log = server.log().split_off(before);
    let contents = server.contents();
    let sent = log.iter().map(|seen| {
        let name = seen.path().rsplit('/').next().unwrap();
        let blob = contents.blobs.get(name).map(Vec::len);
        let size = blob.unwrap_or_else(|| contents.manifests[name].1.len());
        (seen.path().contains("/blobs/"), size)
    });
    let sent: Vec<(bool, usize)> = sent.collect();
    // Two manifests, two model manifests.
    assert_eq!(sent.iter().filter(|(is_blob, _)| *is_blob).count(), 2);
    assert_eq!(sent.len(), 4, "{:?}", server.lines());
    let bytes: usize = sent.iter().map(|(_, size)| size).sum();
    assert!(bytes <= 2 << 20, "{bytes} bytes of two models");
    // Artifacts of one digest are not looked into.
    drop(contents);
    let before = server.log().len();
    env.run(&["diff", &a, &a, "--exit-code"]).ok();
    assert_eq!(server.log().len() - before, 2);
}

/// What is said to move is what `pull --seed` says that it fetched.
#[test]
fn upgrade_is_what_a_seeded_pull_fetches() {
    let (env, server) = (Env::new(), Scripted::honest());
    let version = |seed| {
        let small = (0..30).map(|index| (format!("small.{index}"), 40_000, 100 + index));
        let mut tensors: Vec<_> = small.collect();
        tensors[12].2 = seed;
        tensors.push(("large".to_owned(), ALONE, seed));
        tensors
    };
    let [a, b] = [("v1", 1), ("v2", 2)].map(|(tag, seed)| {
        let tensors = version(seed);
        let borrowed = tensors
            .iter()
            .map(|(name, count, seed)| (name.as_str(), *count, *seed));
        env.write("model.onnx", inline_sum(&borrowed.collect::<Vec<_>>()));
        let reference = format!("{}/m:{tag}", server.address);
        env.run(&["push", "./model.onnx", &reference, "-q"]).ok();
        reference
    });
    env.run(&["pull", &a, "-o", "v1", "-q"]).ok();
    for from in [a.as_str(), "./v1"] {
        let said = env.run(&["diff", from, &b, "--json"]).json();
        let out = format!("from{}", from.len());
        let pulled = env.run(&["pull", &b, "-o", &out, "--seed", "v1", "--json"]);
        assert_eq!(said["upgrade"]["pull"], pulled.json()["fetched"], "{from}");
        // A tensor alone, and a range of a shard of 4.8 MB.
        let bytes = said["upgrade"]["pull"].as_u64().unwrap();
        assert!((1_360_000..1_400_000).contains(&bytes), "{said}");
        assert!(said["upgrade"]["new"]["bytes"].as_u64().unwrap() > 5_900_000);
    }
}

#[test]
fn names_cannot_write_into_a_report() {
    let env = Env::new();
    let evil = "a|b`\x1b[2J<b>\n| @you";
    let (x, y) = (declared("x", &["n"]), declared("y", &["n"]));
    let named = |name, seed| {
        named_adder(
            name,
            std::slice::from_ref(&x),
            &[y.clone(), declared(name, &["1", "400"])],
            seed,
        )
    };
    pack(
        &env,
        "m:v1",
        adder(std::slice::from_ref(&x), std::slice::from_ref(&y), 1),
        &[],
    );
    pack(&env, "m:v2", named(evil, 1), &[]);
    env.run(&["diff", "store:m:v1", "store:m:v2"]).is("\
exit 0
a  store:m:v1  sha256:[DIGEST]
b  store:m:v2  sha256:[DIGEST]

B is a drop-in for A: 1 change of the interface, and no caller breaks

interface: 1 change
CALLERS  GRAPH       WHAT    NAME                         CHANGE  A  B             WHY
fine     model.onnx  output  a|b`\\u{1b}[2J<b>\\u{a}| @you  added      float[1,400]

tensors: 1 added (1.6 kB), 1 removed (1.6 kB)
   GRAPH       TENSOR                       A             B             SIZE    WHAT
+  model.onnx  a|b`\\u{1b}[2J<b>\\u{a}| @you                float[1,400]  1.6 kB
-  model.onnx  w                            float[1,400]                1.6 kB

files: 1 changed (1.8 kB), 1 unchanged (3 B)
   FILE        A       B       WHAT
~  model.onnx  1.7 kB  1.8 kB  content

upgrade: 4 of 6 blobs new (2.2 kB of 3.8 kB); `pull --seed` with A pulled before fetches 2.2 kB
");
    let markdown = env.run(&["diff", "store:m:v2", "store:m:v1", "--markdown"]);
    let expected = "\
exit 0
### B is not a drop-in for A: callers break on 1 of 1 change of the interface

| | |
|---|---|
| A | `store:m:v2` `sha256:[DIGEST]` |
| B | `store:m:v1` `sha256:[DIGEST]` |
| interface | 1 change |
| tensors | 1 added (1.6 kB), 1 removed (1.6 kB) |
| files | 1 changed (1.7 kB), 1 unchanged (3 B) |

**interface**

| CALLERS | GRAPH | WHAT | NAME | CHANGE | A | B | WHY |
|---|---|---|---|---|---|---|---|
| breaks | `model.onnx` | output | EVIL | removed | `float[1,400]` |  |  |

**tensors**

|  | GRAPH | TENSOR | A | B | SIZE | WHAT |
|---|---|---|---|---|---|---|
| + | `model.onnx` | `w` |  | `float[1,400]` | 1.6 kB |  |
| - | `model.onnx` | EVIL | `float[1,400]` |  | 1.6 kB |  |

**files**

|  | FILE | A | B | WHAT |
|---|---|---|---|---|
| ~ | `model.onnx` | 1.8 kB | 1.7 kB | content |
";
    let name = "<code>a&#124;b&#96;&#92;u&#123;1b&#125;&#91;2J&#60;b&#62;&#92;u&#123;a&#125;&#124; &#64;you</code>";
    let expected = expected.replace("EVIL", name);
    assert_eq!(without_upgrade(&markdown), expected);
}

#[test]
fn artifacts_of_other_tools_are_compared_by_layers() {
    let env = Env::new();
    artifact::write(&env.path("layout"), "v1", b"content");
    artifact::write(&env.path("layout"), "v2", b"other content");
    env.run(&["diff", "oci:layout:v1", "oci:layout:v2", "--exit-code"])
        .is("\
exit 8
a  oci:layout:v1  sha256:[DIGEST]
b  oci:layout:v2  sha256:[DIGEST]

whether B is a drop-in for A is unknown: not both have a known interface

files: 1 changed (13 B)
   FILE         A    B     WHAT
~  content.bin  7 B  13 B  content

upgrade: 1 of 2 blobs new (13 B of 15 B); `pull --seed` with A pulled before fetches 15 B
");
    pack(
        &env,
        "m:v1",
        adder(&[declared("x", &["n"])], &[declared("y", &["n"])], 1),
        &[],
    );
    let mixed = env
        .run(&["diff", "store:m:v1", "oci:layout:v1", "--json"])
        .json();
    assert_eq!(mixed["dropIn"], "unknown");
    assert_eq!(mixed["files"]["added"][0]["path"], "content.bin");
    // An index is no model.
    let layout = Layout::open(&env.path("layout")).unwrap();
    let document = crate::support::parts::index(&[]);
    layout
        .put_blob(&document.descriptor(), &mut document.raw())
        .unwrap();
    layout.tag_as(&document.descriptor(), "index").unwrap();
    env.run(&["diff", "oci:layout:v1", "oci:layout:index"])
        .is("\
exit 2
--- stderr
error: document is an index, not the manifest of a model
");
}

#[test]
fn page_about_the_json_names_every_member() {
    let env = Env::new();
    let (x, y) = (declared("x", &["n"]), declared("y", &["n"]));
    pack(
        &env,
        "m:v1",
        adder(std::slice::from_ref(&x), std::slice::from_ref(&y), 1),
        &["--annotation", "k=v"],
    );
    let other = adder(&[declared("x", &["1"])], &[y, declared("z", &["n"])], 2);
    env.write("model/more.txt", "more");
    pack(&env, "m:v2", other, &["--name", "m"]);
    let report = env
        .run(&["diff", "store:m:v1", "store:m:v2", "--json"])
        .json();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diff.md");
    let page = fs::read_to_string(page).unwrap();
    let mut members = Vec::new();
    collect(&report, &mut members);
    assert!(members.len() > 30, "{members:?}");
    for member in members {
        assert!(page.contains(&format!("`{member}`")), "{member} is missing");
    }
}

/// The names of all members, at any depth.
fn collect(value: &serde_json::Value, members: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                members.push(name.clone());
                collect(value, members);
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, members)),
        _ => {}
    }
}

#[test]
fn signers_are_compared_where_keys_are_given() {
    let env = Env::new().with("COSIGN_PASSWORD", "");
    let id = env.run(&["keygen", "-o", "release", "-q"]).ok();
    let io = |shape: &[&str]| ([declared("x", shape)], [declared("y", shape)]);
    let (inputs, outputs) = io(&["n", "400"]);
    pack(&env, "m:v1", adder(&inputs, &outputs, 1), &[]);
    let signed = ["--sign-key", "release.key"];
    pack(&env, "m:v2", adder(&inputs, &outputs, 2), &signed);
    let diff = ["diff", "store:m:v1", "store:m:v2", "--json"];
    assert!(env.run(&diff).json().get("signers").is_none());
    let report = env
        .run(&[&diff[..], &["--key", "release.pub"]].concat())
        .json();
    let key = serde_json::json!({ "kind": "key", "id": id });
    assert_eq!(
        report["signers"],
        serde_json::json!({ "a": [], "b": [key] })
    );
    env.run(&["diff", "./model", "store:m:v1", "--key", "release.pub"]).is("\
exit 2
--- stderr
error: expected two artifacts where `--key` is given; `verify DIR --key` checks a folder, got `./model`
");
}
