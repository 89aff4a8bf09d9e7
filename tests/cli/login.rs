//! `login` and `logout`, and what becomes of secrets.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::Stdio;

use crate::support::env::{Env, Transcript};
use crate::support::scripted::{Reply, Scripted};

/// `u:canary`.
const BASIC: &str = "Basic dTpjYW5hcnk=";

/// A registry that takes one user and one password.
fn guarded() -> Scripted {
    Scripted::start(|seen| {
        let accepted = seen.header("authorization") == Some(BASIC);
        let refused = Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r\"");
        (!accepted).then_some(refused)
    })
}

fn run_with_stdin(env: &Env, arguments: &[&str], stdin: &str) -> Transcript {
    let mut command = env.command(arguments);
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(stdin.as_bytes()).unwrap();
    drop(writer);
    command.stdin(Stdio::from(reader));
    env.run_command(command)
}

#[test]
fn login_stores_what_the_registry_accepts_and_logout_erases_it() {
    let (env, server) = (Env::new(), guarded());
    let host = server.address.to_string();
    env.run(&["ls", &format!("{host}/m")]).is("\
exit 4
--- stderr
error: `GET http://127.0.0.1:[PORT]/v2/m/tags/list?n=…` failed: credentials are missing (401)

hint: log in with `modelctl login REGISTRY`
");
    let login = ["login", &host, "-u", "u", "--password-stdin"];
    run_with_stdin(&env, &login, "canary\n").is("\
exit 0
--- stderr
logged in to 127.0.0.1:[PORT]; stored in [ROOT]/home/.docker/config.json
");
    let file = env.root("home/.docker/config.json");
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    env.run(&["ls", &format!("{host}/m")]).is("exit 0\n");
    env.run(&["logout", &host]).is("\
exit 0
--- stderr
logged out of 127.0.0.1:[PORT]
");
    env.run(&["logout", &host]).is("\
exit 0
--- stderr
127.0.0.1:[PORT] has no stored credential
");
    assert!(!fs::read_to_string(&file).unwrap().contains(&host));
}

#[test]
fn login_stores_nothing_that_the_registry_refuses() {
    let (env, server) = (Env::new(), guarded());
    let host = server.address.to_string();
    let login = ["login", &host, "-u", "u", "--password-stdin"];
    run_with_stdin(&env, &login, "wrong\n").is("\
exit 4
--- stderr
error: `GET http://127.0.0.1:[PORT]/v2/` failed: the credentials of user `u` were not accepted (401)

hint: check the user name and the password
");
    assert!(!env.root("home/.docker").exists());
}

#[test]
fn login_says_what_is_missing() {
    let env = Env::new();
    env.run(&["login", "127.0.0.1:1"]).is("\
exit 2
--- stderr
error: no user name was given

hint: give `--username NAME`
");
    env.run(&["login", "127.0.0.1:1", "-u", "u"]).is("\
exit 2
--- stderr
error: no password was given

hint: give `--password-stdin`, or set MODELCTL_PASSWORD
");
    env.run(&["login", "127.0.0.1:1", "--password-stdin"]).is("\
exit 2
--- stderr
error: the following required arguments were not provided:
  --username <NAME>

Usage: modelctl login --username <NAME> --password-stdin <REGISTRY>

For more information, try '--help'.
");
}

/// Security row A27: what a hostile or broken config file says is an error that names the file.
#[test]
fn broken_credential_files_are_named() {
    let server = guarded();
    let host = server.address.to_string();
    for text in [
        format!(r#"{{"credHelpers":{{"{host}":"../x"}}}}"#),
        format!(r#"{{"auths":{{"{host}":{{"auth":"%%%"}}}}}}"#),
        format!(r#"{{"auths":{{"{host}":{{"auth":"bm9jb2xvbg=="}}}}}}"#),
        "{".to_owned(),
    ] {
        let env = Env::new();
        fs::create_dir_all(env.root("home/.docker")).unwrap();
        fs::write(env.root("home/.docker/config.json"), &text).unwrap();
        let refused = env.run(&["ls", &format!("{host}/m")]);
        assert_eq!(refused.code, Some(2), "{refused}");
        let file = env.root("home/.docker/config.json");
        assert!(refused.stderr.contains(file.to_str().unwrap()), "{refused}");
        assert!(!refused.stderr.contains("bm9jb2xvbg"), "{refused}");
    }
}

/// Security row A24: secrets are in no output, however much is asked for.
#[test]
fn secrets_are_never_shown() {
    let tokens = Scripted::start(|_| {
        Some(Reply::new(
            200,
            r#"{"token":"canary-token","refresh_token":"canary-refresh"}"#,
        ))
    });
    let realm = format!(
        "Bearer realm=\"{}/t?sig=canary-query\",service=\"s\"",
        tokens.url()
    );
    let elsewhere = Scripted::start(|_| Some(Reply::new(403, r#"{"token":"canary-body"}"#)));
    let signed = format!("{}/x?X-Amz-Signature=canary-signature", elsewhere.url());
    let server = Scripted::start(move |seen| match seen.header("authorization") {
        Some("Bearer canary-token") => (seen.method == "GET"
            && seen.path().contains("/blobs/sha256:"))
        .then(|| Reply::redirect(307, &signed)),
        _ => Some(
            Reply::new(401, "")
                .with("WWW-Authenticate", &realm)
                .with("Set-Cookie", "session=canary-cookie"),
        ),
    });
    let env = Env::new()
        .with("MODELCTL_USERNAME", "u")
        .with("MODELCTL_PASSWORD", "canary-password")
        .with("HTTP_PROXY", "http://u:canary-proxy@127.0.0.1:9")
        .with("RUST_LOG", "trace");
    env.write("model/weights.bin", [7; 3000]);
    let reference = format!("{}/m:v1", server.address);
    let host = server.address.to_string();
    let retagged = format!("{}/m:v2", server.address);
    let commands: [&[&str]; 15] = [
        &["push", "./model", &reference],
        &["pull", &reference, "-o", "out"],
        &["pull", &reference],
        &["inspect", &reference],
        &["verify", &reference],
        &["ls", &host],
        &["cp", &reference, "oci:layout:v1"],
        &["rm", &reference],
        &["tag", &reference, "v2"],
        &["cp", &reference, &retagged],
        &["run", &reference],
        &["doctor"],
        &["config"],
        &["login", &host],
        &["logout", &host],
    ];
    for command in commands {
        for more in [&["-vvv"][..], &["-vvv", "--json"]] {
            let said = env.run(&[command, more].concat());
            let said = format!("{}{}", said.stdout, said.stderr);
            assert!(!said.contains("canary"), "{command:?}: {said}");
        }
    }
    assert!(tokens.text().contains("Basic "), "nobody logged in");
    assert!(
        elsewhere.text().contains("canary-signature"),
        "nobody was redirected"
    );
}
