//! `docs/cli.md` is what `--help` prints for every command.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::env::Env;

/// The commands that a help text lists.
fn commands_in(help: &str) -> Vec<String> {
    let lines = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    // A line that goes on from the one before is indented further.
    let heads = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    heads
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

fn write_section(env: &Env, words: &[&str], page: &mut String) {
    let mut arguments = words.to_vec();
    arguments.push("--help");
    let transcript = env.run(&arguments);
    transcript.ok();
    let level = "#".repeat(words.len() + 2);
    let title = [&["modelctl"], words].concat().join(" ");
    write!(
        page,
        "\n{level} {title}\n\n```text\n{}```\n",
        transcript.stdout
    )
    .unwrap();
    for name in commands_in(&transcript.stdout) {
        write_section(env, &[words, &[&name]].concat(), page);
    }
}

/// `make schema` writes the page again.
#[test]
fn generated_reference_is_what_help_prints() {
    let mut page =
        "# Command reference\n\nWritten by `make schema` from `--help`; do not edit.\n".to_owned();
    write_section(&Env::new(), &[], &mut page);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    if std::env::var_os("MODELCTL_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/cli.md is out of date: make schema");
}

/// Lines of what stands after the options, up to the examples, that are shorter than they need to be.
fn broken_lines(help: &str, width: usize) -> Vec<String> {
    let is_option = |line: &&str| line.is_empty() || line.starts_with(' ');
    let after = help.lines().skip_while(|line| *line != "Global options:");
    let prose = after.skip(1).skip_while(is_option);
    let lines: Vec<&str> = prose.take_while(|line| *line != "Examples:").collect();
    let is_short = |pair: &&[&str]| match pair[1].split(' ').next() {
        _ if pair[0].is_empty() => false,
        None | Some("") => false,
        Some(word) => pair[0].chars().count() + 1 + word.chars().count() <= width,
    };
    let broken = lines.windows(2).filter(is_short);
    broken.map(|pair| pair[0].to_owned()).collect()
}

/// Prose is wrapped where the terminal ends, and examples fit into it.
#[test]
fn help_fills_the_terminal() {
    let env = Env::new();
    for name in commands_in(&env.run(&["--help"]).stdout) {
        for width in [80, 100] {
            let mut command = env.command(&[&name, "--help"]);
            command.env("COLUMNS", width.to_string());
            let help = env.run_command(command).stdout;
            let broken = broken_lines(&help, width);
            assert!(broken.is_empty(), "`modelctl {name} --help`: {broken:#?}");
        }
        let help = env.run(&[&name, "--help"]).stdout;
        let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
        for line in examples {
            assert!(line.starts_with("  "), "`modelctl {name} --help`: {line}");
        }
    }
}

/// What an option is for decides under which heading it stands.
#[test]
fn passphrase_is_an_option_of_everything_that_is_signed() {
    let help = Env::new().run(&["sign", "--help"]).stdout;
    let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text}: {help}"));
    assert!(place("--passphrase-fd") < place("\nArtifacts:\n"));
}

#[test]
fn every_command_has_examples() {
    let env = Env::new();
    for name in commands_in(&env.run(&["--help"]).stdout) {
        let help = env.run(&[&name, "--help"]).stdout;
        assert!(
            help.contains("\nExamples:\n"),
            "`modelctl {name} --help` has no examples"
        );
    }
}
