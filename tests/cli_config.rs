//! `modelctl config`: the settings file.

use crate::support::env::Env;

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
error: invalid reference \"https://x/y\": a registry is `host` or `host:port`
");
}
