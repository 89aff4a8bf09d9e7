//! `man`: manual pages, made from the help texts.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};

use crate::args::Cli;
use crate::failure::Failure;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  modelctl man | man -l -
  modelctl man -o ~/.local/share/man/man1";

/// Write the manual page, or one for each command
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// Write modelctl.1 and a page for each command into this folder
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Writes the main page to stdout, or all pages into a folder.
pub(crate) fn run(args: &ManArgs, output: &mut Output) -> Result<(), Failure> {
    let command = Cli::command();
    match &args.output {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            Ok(output.raw(&page)?)
        }
        Some(folder) => write_pages(command, folder).map_err(Failure::file(folder)),
    }
}

fn write_pages(command: clap::Command, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}
