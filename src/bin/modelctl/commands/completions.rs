//! `completions`: scripts that complete command lines.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::failure::Failure;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  modelctl completions bash > ~/.local/share/bash-completion/completions/modelctl
  modelctl completions zsh > ~/.zfunc/_modelctl
  modelctl completions fish > ~/.config/fish/completions/modelctl.fish";

/// Write a completion script for a shell
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Writes the script to stdout.
pub(crate) fn run(args: &CompletionsArgs, output: &mut Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "modelctl", &mut script);
    Ok(output.raw(&script)?)
}
