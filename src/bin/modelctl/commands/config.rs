//! `config`: shows and changes the settings file.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::context::{Context, Settings};
use crate::failure::Failure;
use crate::options::host;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  modelctl config
  modelctl config set registry registry.example:5000
  modelctl config unset registry";

/// Show or change the settings file
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(Subcommand)]
enum Change {
    /// Set a value
    #[command(after_help = EXAMPLES)]
    Set {
        /// What to set
        key: Key,
        /// Its value
        value: String,
    },
    /// Remove a value
    #[command(after_help = EXAMPLES)]
    Unset {
        /// What to remove
        key: Key,
    },
}

/// A setting.
#[derive(Clone, Copy, ValueEnum)]
enum Key {
    /// Registry of references that name none
    Registry,
    /// Folder of the local store
    Store,
    /// PEM file of certificates to trust as well
    CaCert,
}

/// The file and what is in it.
#[derive(Serialize)]
struct ConfigReport {
    file: PathBuf,
    settings: Settings,
}

impl fmt::Display for ConfigReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            registry,
            store,
            ca_cert,
        } = &self.settings;
        let path = |path: &PathBuf| path.display().to_string();
        for (key, value) in [
            ("registry", registry.clone()),
            ("store", store.as_ref().map(path)),
            ("ca-cert", ca_cert.as_ref().map(path)),
        ] {
            if let Some(value) = value {
                writeln!(f, "{key} = {value}")?;
            }
        }
        Ok(())
    }
}

/// Changes the file if asked to, and shows what is in it.
pub(crate) fn run(args: ConfigArgs, context: &Context, output: &mut Output) -> Result<(), Failure> {
    let file = context.environment().settings();
    let file = file.ok_or(Failure::NoHome("the settings file"))?;
    let mut settings = Settings::read(&file)?;
    if let Some(change) = args.change {
        apply(change, &mut settings)?;
        settings.write(&file)?;
    }
    output.note(format_args!("settings in {}", file.display()))?;
    Ok(output.report(&ConfigReport { file, settings })?)
}

fn apply(change: Change, settings: &mut Settings) -> Result<(), Failure> {
    let (key, value) = match change {
        Change::Set { key, value } => (key, Some(value)),
        Change::Unset { key } => (key, None),
    };
    match key {
        Key::Registry => settings.registry = value.map(registry).transpose()?,
        Key::Store => settings.store = value.map(absolute).transpose()?,
        Key::CaCert => settings.ca_cert = value.map(absolute).transpose()?,
    }
    Ok(())
}

/// Checks that a text can stand before a repository.
fn registry(text: String) -> Result<String, Failure> {
    host(&text).map_err(|reason| Failure::Option {
        option: "registry",
        reason,
    })
}

/// The settings hold wherever a command is run.
fn absolute(path: String) -> Result<PathBuf, Failure> {
    std::path::absolute(&path).map_err(Failure::file(path))
}
