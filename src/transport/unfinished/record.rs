//! What is kept of an upload, as JSON.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use url::Url;

use crate::oci::Digest;
use crate::transport::http::Origin;

/// The largest file that is read, in bytes: a location may be long.
const MAX_SIZE: u64 = 16 * 1024;

/// The longest location that is kept, in bytes.
const MAX_LOCATION: usize = 8 * 1024;

/// Registries forget uploads after some hours or days.
pub(super) const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Words in the name of a parameter that make a location a secret.
const SECRET_WORDS: [&str; 8] = [
    "sig",
    "token",
    "secret",
    "passw",
    "credential",
    "key",
    "auth",
    "jwt",
];

/// How far an upload is, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) location: Url,
    /// How many bytes the registry said that it has.
    pub(crate) offset: u64,
    /// The shortest chunk that it takes.
    pub(crate) minimum: u64,
}

/// Which upload it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) registry: Origin,
    pub(crate) repository: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: u32,
    registry: String,
    repository: String,
    digest: String,
    location: String,
    offset: u64,
    minimum: u64,
}

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

impl Key {
    /// A name for files: the same for the same upload, and never a path.
    pub(super) fn name(&self) -> String {
        let text = format!("{}\0{}\0{}", self.registry, self.repository, self.digest);
        Digest::sha256(text.as_bytes()).hex()
    }
}

impl Record {
    /// Whether a location may be written down: at the registry itself, and nothing in it looks
    /// like a secret. What another host is sent is often a signed URL, which needs no credentials.
    pub(super) fn is_keepable(&self, registry: &Origin) -> bool {
        let location = &self.location;
        let is_secret = |name: &str| {
            let name = name.to_ascii_lowercase();
            SECRET_WORDS.iter().any(|word| name.contains(word))
        };
        Origin::of(location).as_ref() == Some(registry)
            && location.username().is_empty()
            && location.password().is_none()
            && location.as_str().len() <= MAX_LOCATION
            && !location.query_pairs().any(|(name, _)| is_secret(&name))
    }

    /// Reads a record of an upload; nothing if it is not one of this upload, or too old.
    pub(super) fn read(path: &Path, key: &Key) -> io::Result<Option<Self>> {
        // Whatever lies there, opening it does not wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        let age = metadata.modified()?.elapsed().unwrap_or(Duration::MAX);
        if !metadata.is_file() || metadata.len() > MAX_SIZE || age > MAX_AGE {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(MAX_SIZE).read_to_end(&mut bytes)?;
        Ok(Self::parse(&bytes, key))
    }

    pub(crate) fn parse(bytes: &[u8], key: &Key) -> Option<Self> {
        let document: Document = serde_json::from_slice(bytes).ok()?;
        let is_this = document.version == VERSION
            && document.registry == key.registry.to_string()
            && document.repository == key.repository
            && document.digest == key.digest.to_string()
            && document.offset <= key.size;
        let mut location = Url::parse(&document.location).ok()?;
        location.set_fragment(None);
        let record = Self {
            location,
            offset: document.offset,
            minimum: document.minimum,
        };
        (is_this && record.is_keepable(&key.registry)).then_some(record)
    }

    pub(crate) fn to_bytes(&self, key: &Key) -> io::Result<Vec<u8>> {
        let document = Document {
            version: VERSION,
            registry: key.registry.to_string(),
            repository: key.repository.clone(),
            digest: key.digest.to_string(),
            location: self.location.to_string(),
            offset: self.offset,
            minimum: self.minimum,
        };
        Ok(serde_json::to_vec(&document)?)
    }

    /// Writes the record in one step, readable by its owner only.
    pub(super) fn write(&self, path: &Path, key: &Key) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(&self.to_bytes(key)?)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
