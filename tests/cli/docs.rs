//! `completions` and `man`, which are made from the same description as `--help`.

use std::fs;

use crate::support::env::Env;

#[test]
fn completions_know_every_command() {
    let env = Env::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = env.run(&["completions", shell]);
        script.ok();
        for command in ["pack", "pull", "verify"] {
            assert!(script.stdout.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn man_writes_a_page_for_each_command() {
    let env = Env::new();
    assert!(env.run(&["man"]).stdout.contains(".TH modelctl 1"));
    env.run(&["man", "-o", "pages"]).is("exit 0\n");
    let pages = fs::read_dir(env.path("pages")).unwrap();
    let pages: Vec<String> = pages
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(pages.contains(&"modelctl-pull.1".to_owned()), "{pages:?}");
    assert!(
        !pages.contains(&"modelctl-worker.1".to_owned()),
        "{pages:?}"
    );
}
