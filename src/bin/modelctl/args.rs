//! The command line: every command, and the options that all of them take.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands;
use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::worker;

/// Packs machine-learning models as OCI artifacts, moves them pinned by digest, and runs them
/// before they are deployed.
#[derive(Parser)]
#[command(
    name = "modelctl",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = format!("{REFERENCES}\n\n{}", exit::help()),
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What all commands take.
    #[command(flatten)]
    pub(crate) global: GlobalOptions,
}

impl Cli {
    /// Parses the command line; gives the word of the command as well.
    pub(crate) fn parse_words() -> Result<(Self, String), clap::Error> {
        let matches = without_empty_variables(Self::command()).try_get_matches()?;
        let name = matches.subcommand_name().unwrap_or_default().to_owned();
        Ok((Self::from_arg_matches(&matches)?, name))
    }
}

/// A variable that is set to nothing, as CI systems set those that they do not have, is not set.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let value = argument.get_env().and_then(std::env::var_os);
        match value.is_some_and(|value| value.is_empty()) {
            true => argument.env(None),
            false => argument,
        }
    });
    command.mut_subcommands(without_empty_variables)
}

/// How artifacts and files are named, for `--help`.
const REFERENCES: &str = "\
Names:
  [REGISTRY/]REPOSITORY[:TAG][@DIGEST]  a model in a registry; a digest decides over a tag
  store:NAME                            an entry of the local store
  oci:DIR[:TAG]                         an OCI image layout
  oci-archive:FILE[:TAG]                an OCI image layout in a tar
  /PATH  ./PATH  ../PATH  .             a file or folder";

/// Options of every command.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// Folder of the local store, by default $XDG_DATA_HOME/modelctl or ~/.local/share/modelctl
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "MODELCTL_STORE",
        hide_env_values = true
    )]
    pub(crate) store: Option<PathBuf>,
    /// Write the result to stdout, and errors to stderr, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Write nothing but the result, warnings and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say more on stderr: -v steps, -vv requests, -vvv everything (secrets are left out)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The commands, in the order in which a model passes through them.
#[derive(Subcommand)]
pub(crate) enum Command {
    Pack(commands::pack::PackArgs),
    Push(commands::push::PushArgs),
    Pull(commands::pull::PullArgs),
    Verify(commands::verify::VerifyArgs),
    Run(commands::run::RunArgs),
    Gate(commands::gate::GateArgs),
    Lock(commands::lock::LockArgs),
    Inspect(commands::inspect::InspectArgs),
    Diff(commands::diff::DiffArgs),
    Ls(commands::ls::LsArgs),
    Tag(commands::tag::TagArgs),
    Cp(commands::cp::CpArgs),
    Rm(commands::rm::RmArgs),
    Gc(commands::gc::GcArgs),
    Repair(commands::repair::RepairArgs),
    Keygen(commands::keygen::KeygenArgs),
    Sign(commands::sign::SignArgs),
    Attest(commands::attest::AttestArgs),
    Registry(commands::registry::RegistryArgs),
    Login(commands::login::LoginArgs),
    Logout(commands::logout::LogoutArgs),
    Config(commands::config::ConfigArgs),
    Doctor(commands::doctor::DoctorArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
}

impl Command {
    /// Whether it runs until a signal comes, which it awaits itself.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Self::Registry(_))
    }

    /// Whether what it has moved is kept when it is cut off, so that it goes on when it is repeated.
    pub(crate) fn is_resumed(&self) -> bool {
        match self {
            Self::Push(_) | Self::Pull(_) | Self::Run(_) => true,
            Self::Cp(args) => args.is_resumed(),
            _ => false,
        }
    }

    /// Carries it out.
    pub(crate) async fn run(self, context: &Context, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Pack(args) => commands::pack::run(args, context, output).await,
            Self::Push(args) => commands::push::run(args, context, output).await,
            Self::Pull(args) => commands::pull::run(args, context, output).await,
            Self::Verify(args) => commands::verify::run(args, context, output).await,
            Self::Run(args) => commands::run::run(args, context, output).await,
            Self::Gate(args) => commands::gate::run(args, context, output).await,
            Self::Lock(args) => commands::lock::run(args, context, output).await,
            Self::Inspect(args) => commands::inspect::run(args, context, output).await,
            Self::Diff(args) => commands::diff::run(args, context, output).await,
            Self::Ls(args) => commands::ls::run(args, context, output).await,
            Self::Tag(args) => commands::tag::run(args, context, output).await,
            Self::Cp(args) => commands::cp::run(args, context, output).await,
            Self::Rm(args) => commands::rm::run(args, context, output).await,
            Self::Gc(args) => commands::gc::run(args, context, output).await,
            Self::Repair(args) => commands::repair::run(args, context, output).await,
            Self::Keygen(args) => commands::keygen::run(args, context, output).await,
            Self::Sign(args) => commands::sign::run(args, context, output).await,
            Self::Attest(args) => commands::attest::run(args, context, output).await,
            Self::Registry(args) => commands::registry::run(args, output).await,
            Self::Login(args) => commands::login::run(args, context, output).await,
            Self::Logout(args) => commands::logout::run(args, context, output).await,
            Self::Config(args) => commands::config::run(args, context, output),
            Self::Doctor(args) => commands::doctor::run(args, context, output).await,
            Self::Completions(args) => commands::completions::run(&args, output),
            Self::Man(args) => commands::man::run(&args, output),
            Self::Worker(args) => worker::run(args, output).await,
        }
    }
}
