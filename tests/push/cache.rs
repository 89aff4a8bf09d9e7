//! Pushes and packs that remember digests.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use modelctl::oci::Digest;
use modelctl::plan::{self, ArtifactPlan, DigestCache, PlanOptions};

use crate::support::embedded::Embedded;
use crate::support::env::Env;
use crate::support::models::{FLOAT, floats, sum, tensor};
use crate::support::plans::write;

/// Longer than the tick of the clock that file systems take times from.
const TICK: Duration = Duration::from_millis(30);

/// A model with two tensors that stand alone, and some that share a shard.
fn model() -> Vec<u8> {
    let of = |name: &str, seed, count: u64| {
        let floats = floats(seed, count as usize);
        tensor(name, FLOAT, &[count], &floats)
    };
    sum(&[
        ("w", of("w", 1, 1 << 19)),
        ("v", of("v", 2, 1 << 19)),
        ("a", of("a", 3, 1 << 14)),
        ("b", of("b", 4, 1 << 14)),
    ])
}

fn plan(folder: &Path, cache: Option<DigestCache>) -> ArtifactPlan {
    let options = PlanOptions {
        cache,
        ..PlanOptions::default()
    };
    plan::build(folder, &options).unwrap()
}

/// Changes every digest in a cache, and its checksum with them.
fn falsify(file: &Path) {
    const MAGIC: usize = "modelctl digests 1\n".len();
    let mut bytes = fs::read(file).unwrap();
    let end = bytes.len() - 32;
    for record in bytes[MAGIC..end].chunks_exact_mut(72) {
        record[32] ^= 1;
    }
    let checksum = Digest::sha256(&bytes[..end]);
    bytes[end..].copy_from_slice(checksum.value());
    fs::write(file, bytes).unwrap();
}

/// A cache that lies is believed: so files are not read again, not even for a single shard, tensor
/// or file.
#[test]
fn unchanged_files_are_planned_from_the_cache_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("m/model.onnx", model()),
        ("m/labels.txt", b"cat\n".to_vec()),
    ];
    write(folder.path(), &files);
    sleep(TICK);
    let (source, place) = (folder.path().join("m"), folder.path().join("cache"));
    let cache = || Some(DigestCache::with_margin(&place, Duration::ZERO));
    let without = plan(&source, None);
    assert_eq!(
        plan(&source, cache()).manifest.digest(),
        without.manifest.digest()
    );
    assert_eq!(
        plan(&source, cache()).manifest.digest(),
        without.manifest.digest()
    );

    falsify(&place.join("digests"));
    let lied_to = plan(&source, cache());
    let differs = |a: &Digest, b: &Digest| {
        a.value()[0] == b.value()[0] ^ 1 && a.value()[1..] == b.value()[1..]
    };
    for (ours, true_one) in lied_to.layers.iter().zip(&without.layers).skip(1) {
        let digests = (&ours.descriptor.digest, &true_one.descriptor.digest);
        assert!(differs(digests.0, digests.1), "{} was read", ours.path);
    }
    let files = &lied_to.model_manifest.files;
    for (ours, true_one) in files.iter().zip(&without.model_manifest.files) {
        assert_ne!(ours.sha256, true_one.sha256, "{} was read", ours.path);
    }
    let tensors = &lied_to.model_manifest.tensors;
    for (ours, true_one) in tensors.iter().zip(&without.model_manifest.tensors) {
        let is_whole = true_one.sha256.is_none();
        assert!(
            is_whole || ours.sha256 != true_one.sha256,
            "{} was read",
            ours.name
        );
    }

    // One byte changes: the file is read again, the others are not.
    fs::write(source.join("labels.txt"), b"dog\n").unwrap();
    let labels = plan(&source, cache()).model_manifest.files[0].clone();
    assert_eq!(labels.path.as_str(), "labels.txt");
    assert_eq!(labels.sha256.hex(), Digest::sha256(b"dog\n").hex());
}

#[test]
fn cache_is_where_xdg_says_and_no_cache_makes_none() {
    let env = Env::new();
    env.write("mlp/model.onnx", model());
    sleep(Duration::from_millis(3100));
    let digest = env
        .run(&["pack", "./mlp", "-t", "mlp:v1", "--no-cache"])
        .ok();
    assert!(!env.root("home/.cache").exists());
    let digests = env.root("home/.cache/modelctl/digests");
    assert_eq!(env.run(&["pack", "./mlp", "-t", "mlp:v1"]).ok(), digest);
    assert!(digests.is_file());
    assert_eq!(env.run(&["pack", "./mlp", "-t", "mlp:v1"]).ok(), digest);
    falsify(&digests);
    let dry = ["pack", "./mlp", "--dry-run", "--json"];
    assert!(!env.run(&dry).stdout.contains(&digest), "it would be read");
    let dry = ["pack", "./mlp", "--dry-run", "--json", "--no-cache"];
    assert!(env.run(&dry).stdout.contains(&digest));
}

/// What a push reads of the model, in bytes, seen from the kernel: one trace for each thread.
fn read_of_the_model(env: &Env, name: &str, reference: &str) -> u64 {
    let traces = env.path(name);
    fs::create_dir(&traces).unwrap();
    let modelctl = env.command(&["push", "./mlp", reference]);
    let mut traced = Command::new("strace");
    traced
        .args(["-ff", "-y", "-e", "trace=read,pread64", "-o"])
        .arg(traces.join("thread"))
        .arg(modelctl.get_program())
        .args(modelctl.get_args())
        .env("HOME", env.root("home"))
        .env_remove("XDG_CACHE_HOME")
        .current_dir(env.path(""));
    let traced = traced.output().unwrap();
    let text = String::from_utf8_lossy(&traced.stderr);
    assert!(traced.status.success(), "{text}");
    let mut sum = 0;
    for trace in fs::read_dir(traces).unwrap() {
        let text = fs::read(trace.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&text);
        for call in text.lines().filter(|line| line.contains("/model.onnx>")) {
            let count = call.rsplit_once(" = ").unwrap().1;
            sum += count.parse::<u64>().unwrap();
        }
    }
    sum
}

/// A push reads a file twice, once to hash and once to send; and not at all once it is known.
#[test]
#[ignore = "needs strace"]
fn push_reads_a_file_twice_and_an_unchanged_one_not_at_all() {
    let env = Env::new();
    let model = model();
    let size = model.len() as u64;
    env.write("mlp/model.onnx", model);
    sleep(Duration::from_millis(3100));
    let registry = Embedded::new();
    let first = read_of_the_model(&env, "first", &format!("{}/a:v1", registry.address));
    assert!(
        (2 * size..2 * size + size / 4).contains(&first),
        "{first} of {size}"
    );
    let second = read_of_the_model(&env, "second", &format!("{}/a:v2", registry.address));
    assert!(second < size / 8, "{second} of {size}");
}
