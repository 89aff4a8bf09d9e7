//! The settings file, `config.json`: what a user does not want to type every time.
//!
//! A flag or environment variable decides over the file. Unknown members are refused, so that a
//! misspelt one is noticed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What the file can hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    /// The registry of references that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) registry: Option<String>,
    /// The folder of the local store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) store: Option<PathBuf>,
    /// A PEM file of certificates to trust as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_cert: Option<PathBuf>,
}

impl Settings {
    /// Reads the file; one that is not there has no settings.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            text => text.map_err(Failure::file(path))?,
        };
        serde_json::from_str(&text).map_err(|error| Failure::file(path)(io::Error::other(error)))
    }

    /// Writes the file in one step, so that a reader never finds half of it.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::file(path)(error.into()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let write = || {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            io::Write::write_all(&mut file, format!("{text}\n").as_bytes())?;
            file.persist(path).map_err(|error| error.error)
        };
        write().map(drop).map_err(Failure::file(path))
    }
}
