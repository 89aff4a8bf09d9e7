//! `config`, the settings file, and `doctor`.

use crate::support::env::Env;
use crate::support::scripted::Scripted;

#[test]
fn settings_are_set_shown_and_removed() {
    let env = Env::new();
    env.run(&["config"]).is("\
exit 0
--- stderr
settings in [ROOT]/home/.config/modelctl/config.json
");
    env.run(&["config", "set", "registry", "registry.example:5000", "-q"])
        .is("exit 0\nregistry = registry.example:5000\n");
    env.run(&["config", "--json"]).is(r#"exit 0
{
  "file": "[ROOT]/home/.config/modelctl/config.json",
  "settings": {
    "registry": "registry.example:5000"
  }
}
"#);
    env.run(&["config", "unset", "registry", "-q"])
        .is("exit 0\n");
}

#[test]
fn unknown_setting_in_the_file_is_named() {
    let env = Env::new();
    let folder = env.root("home/.config/modelctl");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.json"), r#"{"registri":"x"}"#).unwrap();
    env.run(&["config"]).is("\
exit 1
--- stderr
error: `[ROOT]/home/.config/modelctl/config.json`: unknown field `registri`, expected one of `registry`, `store`, `ca-cert` at line 1 column 11
");
}

#[test]
fn registry_setting_must_be_a_host() {
    Env::new()
        .run(&["config", "set", "registry", "https://x/y"])
        .is("\
exit 2
--- stderr
error: registry: expected a registry, `host` with a dot, `host:port` or `localhost`
");
}

#[test]
fn doctor_says_what_is_there_and_what_is_missing() {
    Env::new().run(&["doctor"]).is("\
exit 0
store                 -  [ROOT]/home/.local/share/modelctl: not there yet
settings              -  [ROOT]/home/.config/modelctl/config.json: not there
Docker's credentials  -  [ROOT]/home/.docker/config.json: not there
Podman's credentials  -  nothing says where it would be
ONNX Runtime          -  ONNX Runtime was not found beside the executable, in `$VIRTUAL_ENV`, `.venv`, `$CONDA_PREFIX` or the first `python3` on PATH: install it with `python3 -m venv .venv && .venv/bin/pip install onnxruntime`, or name its library with `--ort-lib`
");
    let server = Scripted::honest();
    let asked = Env::new().run(&["doctor", &server.address.to_string()]);
    assert!(
        asked
            .to_string()
            .ends_with("registry              ready  127.0.0.1:[PORT]\n")
    );
    Env::new().run(&["doctor", "127.0.0.1:1/x"]).is("\
exit 2
--- stderr
error: invalid value '127.0.0.1:1/x' for '[REGISTRY]': expected a registry, `host` with a dot, `host:port` or `localhost`

For more information, try '--help'.
");
}
