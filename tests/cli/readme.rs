//! What the README says under "Use" can be typed as it stands, from the first line to the last.

use std::fs;
use std::path::Path;

use crate::support::embedded::Embedded;
use crate::support::env::Env;

/// Where the README has its registry.
const ADDRESS: &str = "127.0.0.1:5000";

/// The first block of a language after a heading.
fn block<'a>(text: &'a str, heading: &str, language: &str) -> &'a str {
    let (_, section) = text.split_once(&format!("\n{heading}\n")).unwrap();
    let (_, block) = section.split_once(&format!("\n```{language}\n")).unwrap();
    block.split_once("\n```").unwrap().0
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn commands_of_the_readme_work_one_after_the_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let registry = Embedded::new();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let readme = readme.replace(ADDRESS, &registry.address.to_string());
    let library = std::env::var("MODELCTL_TEST_ORT_LIB").expect("the path of the library");
    let env = Env::new()
        .with("ORT_DYLIB_PATH", library)
        .with("COSIGN_PASSWORD", "canary");
    for file in ["model/model.onnx", "any-folder/model.onnx"] {
        env.write(
            file,
            fs::read(root.join("examples/mlp/model.onnx")).unwrap(),
        );
    }
    env.write("policy.toml", block(&readme, "### The gate", "toml"));

    let mut first_digest: Option<String> = None;
    let lines = block(&readme, "## Use", "sh").lines();
    let commands = lines.filter_map(|line| line.strip_prefix("modelctl "));
    for command in commands.filter(|command| !command.starts_with("registry ")) {
        let typed = command
            .split_once(" # ")
            .map_or(command, |(typed, _)| typed);
        let typed = match &first_digest {
            Some(digest) => typed.replace("sha256:…", digest),
            None => typed.to_owned(),
        };
        let transcript = env.run(&typed.split_whitespace().collect::<Vec<_>>());
        assert_eq!(transcript.code, Some(0), "modelctl {typed}\n{transcript}");
        first_digest.get_or_insert_with(|| transcript.ok());
    }
}
