//! `ls`, `tag` and `rm` over the local store and layouts.

use crate::support::artifact;
use crate::support::env::Env;

const STORE: &str = "home/.local/share/modelctl";

fn env_with_entry() -> Env {
    let env = Env::new();
    artifact::write(&env.root(STORE), "demo/mlp:v1", b"12345");
    env
}

#[test]
fn ls_of_a_fresh_machine_is_empty() {
    Env::new().run(&["ls"]).is("exit 0\n");
    Env::new()
        .run(&["ls", "--json"])
        .is("exit 0\n{\n  \"entries\": []\n}\n");
}

#[test]
fn ls_shows_name_size_and_digest() {
    let env = env_with_entry();
    env.run(&["ls"]).is("\
exit 0
NAME         SIZE   DIGEST
demo/mlp:v1  485 B  sha256:[DIGEST]
");
    env.run(&["ls", "--json"]).is(r#"exit 0
{
  "entries": [
    {
      "name": "demo/mlp:v1",
      "digest": "sha256:[DIGEST]",
      "size": 485,
      "artifactType": "application/vnd.example.v1"
    }
  ]
}
"#);
}

#[test]
fn ls_needs_a_place_that_has_entries() {
    Env::new().run(&["ls", "./x"]).is("\
exit 2
--- stderr
error: expected a repository without a tag, as in `registry.example/mlp`, `oci:DIR` or `oci-archive:FILE`, got `./x`
");
    Env::new().run(&["ls", "oci:x"]).is("\
exit 3
--- stderr
error: `oci-layout` not found in `x`
");
}

#[test]
fn ls_shows_what_an_archive_holds() {
    let env = env_with_entry();
    env.run(&["cp", "store:demo/mlp:v1", "oci-archive:mlp.tar:v1", "-q"])
        .ok();
    env.run(&["ls", "oci-archive:mlp.tar"]).is("\
exit 0
NAME  SIZE   DIGEST
v1    485 B  sha256:[DIGEST]
");
    // What the tar reader quotes of it never reaches the terminal.
    env.write("no.tar", format!("{:x<512}", "import x\n\u{1b}[31m"));
    env.run(&["ls", "oci-archive:no.tar"]).is("\
exit 1
--- stderr
error: archive `no.tar`: not a tar of a layout: numeric field was not a number: xxxxxxxx when getting cksum for import x
");
}

#[test]
fn tag_names_the_same_digest_again() {
    let env = env_with_entry();
    env.run(&["tag", "store:demo/mlp:v1", "v2", "stable"]).is("\
exit 0
sha256:[DIGEST]
--- stderr
tagged store:demo/mlp:v2
tagged store:demo/mlp:stable
");
    env.run(&["ls"]).is("\
exit 0
NAME             SIZE   DIGEST
demo/mlp:stable  485 B  sha256:[DIGEST]
demo/mlp:v1      485 B  sha256:[DIGEST]
demo/mlp:v2      485 B  sha256:[DIGEST]
");
}

#[test]
fn tag_json_lists_the_new_names() {
    let env = env_with_entry();
    env.run(&["tag", "store:demo/mlp:v1", "v2", "--json"])
        .is(r#"exit 0
{
  "digest": "sha256:[DIGEST]",
  "names": [
    "store:demo/mlp:v2"
  ]
}
"#);
}

#[test]
fn tag_refuses_what_is_no_tag() {
    Env::new().run(&["tag", "store:demo/mlp:v1", "a/b"]).is("\
exit 2
--- stderr
error: invalid value 'a/b' for '<TAG>...': invalid tag \"a/b\": a tag is up to 128 letters, digits, `.`, `_` and `-`, and does not begin with `.` or `-`

For more information, try '--help'.
");
}

#[test]
fn rm_takes_a_name_away_and_says_what_it_led_to() {
    let env = env_with_entry();
    env.run(&["rm", "store:demo/mlp:v1"]).is("\
exit 0
--- stderr
removed store:demo/mlp:v1 (sha256:[DIGEST])
");
    env.run(&["rm", "store:demo/mlp:v1"]).is("\
exit 3
--- stderr
error: `demo/mlp:v1` not found in `[ROOT]/home/.local/share/modelctl`
");
}

#[test]
fn rm_goes_on_after_what_is_not_there_and_names_it_at_the_end() {
    let env = env_with_entry();
    env.run(&["tag", "store:demo/mlp:v1", "v2", "-q"]).ok();
    env.run(&[
        "rm",
        "store:gone:a",
        "store:demo/mlp:v1",
        "store:gone:b",
        "store:demo/mlp:v2",
    ])
    .is("\
exit 3
--- stderr
removed store:demo/mlp:v1 (sha256:[DIGEST])
removed store:demo/mlp:v2 (sha256:[DIGEST])
error: not found: `store:gone:a`, `store:gone:b`
");
    env.run(&["ls"]).is("exit 0\n");
}

/// With one that is not there it is said where it was looked for; what was removed is in the report.
#[test]
fn rm_reports_what_was_removed_although_one_is_not_there() {
    let env = env_with_entry();
    let removed = env.run(&["rm", "--json", "store:gone:a", "store:demo/mlp:v1"]);
    assert_eq!(removed.code, Some(3), "{removed}");
    let report: serde_json::Value = serde_json::from_str(&removed.stdout).unwrap();
    assert_eq!(report["removed"][0]["name"], "store:demo/mlp:v1");
    assert!(
        removed.stderr.contains("`gone:a` not found in"),
        "{removed}"
    );
}

#[test]
fn rm_by_digest_takes_every_name_away() {
    let env = env_with_entry();
    let digest = env.run(&["tag", "store:demo/mlp:v1", "v2", "-q"]).ok();
    env.run(&["rm", "-q", &format!("store:demo/mlp@{digest}")])
        .is("exit 0\n");
    env.run(&["ls"]).is("exit 0\n");
}

#[test]
fn reference_without_tag_and_digest_is_a_usage_error() {
    env_with_entry().run(&["rm", "store:demo/mlp"]).is("\
exit 2
--- stderr
error: `demo/mlp` has neither a tag nor a digest

hint: name a tag, as in `demo/mlp:latest`
");
}
