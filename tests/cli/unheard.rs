//! Where nobody listens any more, as behind `| head -1`: a command still ends as it would have, and no
//! refusal becomes an exit code 0. Security row A40 (CVE-2026-44310).

use std::process::Command;

use modelctl::trust::PrivateKey;

use crate::support::env::Env;
use crate::support::scripted::Scripted;
use crate::support::signed::{Signed, write_key};

/// Runs a command whose stdout and stderr lead nowhere, and gives its exit code.
#[track_caller]
fn unheard(mut command: Command) -> Option<i32> {
    let [out, err] = [(); 2].map(|()| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    });
    let status = command.stdout(out).stderr(err).status();
    status.unwrap().code()
}

#[test]
fn a40_refusals_keep_their_exit_codes() {
    let (env, key) = (Env::new(), PrivateKey::generate());
    write_key(&env.path("k.pub"), &key);
    env.write(
        "policy.toml",
        "version = 1\n[[rule]]\nsmoke-test = \"skip\"\n[rule.signatures]\nsigners = [{ key = \"k.pub\" }]\n",
    );
    let server = Scripted::serve(Signed::unsigned().honest(true), |_| None, None);
    let model = format!("{}/m:v1", server.address);
    env.run(&["pull", &model, "-o", "wrong", "-q"]).ok();
    std::fs::write(env.path("wrong/weights.bin"), "x").unwrap();
    let refused = [
        vec!["gate", &model, "--policy", "policy.toml"],
        vec!["gate", &model, "--policy", "policy.toml", "--json"],
        vec!["gate", "./wrong", "--policy", "policy.toml"],
        vec!["verify", &model, "--key", "k.pub"],
        vec!["verify", &model, "--policy", "policy.toml"],
        vec!["verify", "./wrong"],
        vec!["lock", &model, "--policy", "policy.toml"],
        vec!["pull", &model, "-o", "out", "--key", "k.pub"],
        vec!["pull", &model, "-o", "out", "--policy", "policy.toml"],
    ];
    for arguments in refused {
        let code = unheard(env.command(&arguments));
        assert_eq!(code, Some(5), "{arguments:?}");
        assert!(!env.path("out").exists() && !env.path("modelctl.lock").exists());
    }
}

/// Exit 0 says that it was done.
#[test]
fn what_succeeds_is_done_to_its_end() {
    let (env, key) = (Env::new(), PrivateKey::generate());
    write_key(&env.path("k.pub"), &key);
    let signed = Signed::unsigned().signed_by(&key);
    let server = Scripted::serve(signed.honest(true), |_| None, None);
    let model = format!("{}/m:v1", server.address);
    let pull = env.command(&["pull", &model, "-o", "out", "--key", "k.pub"]);
    assert_eq!(unheard(pull), Some(0));
    env.run(&["verify", "./out", "-q"]).ok();
    assert_eq!(unheard(env.command(&["lock", &model])), Some(0));
    assert!(env.path("modelctl.lock").exists());
}
