//! `pull` of a next version: what is here already is taken from here, and said.

use crate::support::env::{Env, Transcript};
use crate::support::models::inline_sum;
use crate::support::scripted::Scripted;

/// A model of 4 MB in three layers; the seed decides the values of one of its tensors.
fn model(seed: u64) -> Vec<u8> {
    const ALONE: usize = 300_000;
    inline_sum(&[("a", ALONE, 1), ("b", ALONE, seed), ("c", ALONE, 3)])
}

/// Bytes that a pull reused and fetched.
#[track_caller]
fn saved(pulled: &Transcript) -> (u64, u64) {
    pulled.ok();
    let report = pulled.json();
    let number = |name: &str| report[name].as_u64().unwrap();
    (number("reused"), number("fetched"))
}

#[test]
fn next_version_is_taken_from_the_replaced_folder_the_store_and_seeds() {
    let (env, server) = (Env::new(), Scripted::honest());
    let reference = |tag: &str| format!("{}/m:{tag}", server.address);
    for (tag, seed) in [("v1", 2), ("v2", 20), ("v3", 200)] {
        env.write("model.onnx", model(seed));
        env.run(&["push", "./model.onnx", &reference(tag), "-q"])
            .ok();
    }
    let one = 1_200_000..1_300_000;
    let two = 2_400_000..2_500_000;
    let pull = |arguments: &[&str]| saved(&env.run(&[&["pull", "--json"], arguments].concat()));
    let (reused, fetched) = pull(&[&reference("v1"), "-o", "m"]);
    assert!(reused == 0 && fetched > 3_600_000, "{reused} {fetched}");
    // In place of it.
    let (reused, fetched) = pull(&[&reference("v2"), "-o", "m"]);
    assert!(
        two.contains(&reused) && one.contains(&fetched),
        "{reused} {fetched}"
    );
    assert!(std::fs::read(env.path("m/model.onnx")).unwrap() == model(20));
    // Into the store, from a folder.
    let (reused, fetched) = pull(&[&reference("v3"), "--seed", "m"]);
    assert!(
        two.contains(&reused) && one.contains(&fetched),
        "{reused} {fetched}"
    );
    // Out of the store, although it is asked for at the registry.
    let (reused, fetched) = pull(&[&reference("v3"), "-o", "n"]);
    assert!(reused > 3_600_000 && fetched < 2000, "{reused} {fetched}");
    env.run(&["verify", "./n", "-q"]).ok();
    let again = env.run(&["pull", &reference("v1"), "-o", "n", "--seed", "m"]);
    let said = "; reused 2.4 MB, fetched 1.2 MB\n";
    assert!(again.stderr.ends_with(said), "{again}");
}
