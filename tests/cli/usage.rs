//! How the binary behaves whatever the command: usage errors, help, version, broken pipes.

use std::process::Stdio;

use crate::support::env::Env;

#[test]
fn version_names_the_program_and_its_version() {
    Env::new().run(&["--version"]).is(concat!(
        "exit 0\nmodelctl ",
        env!("CARGO_PKG_VERSION"),
        "\n"
    ));
}

#[test]
fn unknown_command_is_a_usage_error() {
    Env::new().run(&["fly"]).is("\
exit 2
--- stderr
error: unrecognized subcommand 'fly'

Usage: modelctl [OPTIONS] <COMMAND>

For more information, try '--help'.
");
}

#[test]
fn json_usage_error_is_one_object() {
    Env::new().run(&["--json", "fly"]).is(r#"exit 2
--- stderr
{"code":"usage","error":"unrecognized subcommand 'fly'","exitCode":2}
"#);
}

#[test]
fn empty_variable_is_not_set() {
    let env = Env::new()
        .with("MODELCTL_STORE", "")
        .with("MODELCTL_REGISTRY", "")
        .with("MODELCTL_CA_CERT", "");
    env.run(&["ls"]).ok();
    assert!(
        env.run(&["ls", "mlp"])
            .stderr
            .contains("no default registry is set")
    );
}

#[test]
fn file_that_an_option_names_and_is_not_there_is_exit_3() {
    let env = Env::new();
    let verify = ["verify", "localhost:1/m:v1", "--ca-cert", "absent.pem"];
    let serve = [
        "registry",
        "--store",
        "x",
        "--htpasswd",
        "absent",
        "--listen",
        "127.0.0.1:0",
    ];
    for (words, name) in [(&verify[..], "absent.pem"), (&serve[..], "absent")] {
        env.run(words).is(&format!(
            "exit 3\n--- stderr\nerror: `{name}`: No such file or directory (os error 2)\n"
        ));
    }
}

#[test]
fn closed_stdout_is_not_an_error() {
    let env = Env::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = env.command(&["completions", "bash"]);
    let output = command
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
