//! The entries as they are applied: names and references parsed, and compared with what is found.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::SystemTime;

use super::{EntryDocument, LockDocument, LockError};
use crate::oci::{Digest, Reference};

/// The longest name of an entry, in bytes.
const MAX_NAME: usize = 128;
/// The longest name of a signer, in bytes: a certificate's subject alternative name and its issuer.
const MAX_SIGNER: usize = 4096;

/// The names of a lock file, with what they stood for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    entries: BTreeMap<Name, Entry>,
}

/// The name of an entry: letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// What one name stood for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What was resolved: with a registry, and a tag or a digest.
    pub reference: Reference,
    /// What it led to.
    pub digest: Digest,
    /// Who had signed it, sorted; empty where nobody verified that.
    pub signers: Vec<String>,
    /// When.
    pub locked: SystemTime,
}

/// What putting an entry into a lock has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The name is new.
    Added,
    /// It stood for something else.
    Updated,
    /// Everything but the date was as it is.
    Unchanged,
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let letter = |b: u8| b.is_ascii_alphanumeric();
        let valid = text.len() <= MAX_NAME
            && text.bytes().next().is_some_and(letter)
            && text.bytes().all(|b| letter(b) || b"._-".contains(&b));
        match valid {
            true => Ok(Self(text.to_owned())),
            false => Err(format!(
                "expected up to {MAX_NAME} letters, digits, `.`, `_` and `-`, a letter or digit first"
            )),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Name {
    /// The name of a model that nobody has named: the last component of its repository.
    pub fn of(reference: &Reference) -> Result<Self, String> {
        let last = reference.repository().rsplit('/').next();
        last.unwrap_or_default().parse()
    }
}

impl Lock {
    /// Parses a lock file.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        if text.len() as u64 > super::MAX_LOCK_SIZE {
            return Err(LockError::TooLarge);
        }
        let document: LockDocument = toml::from_str(text)
            .map_err(|error| LockError::Malformed(error.to_string().trim_end().to_owned()))?;
        if document.version != 1 {
            let version = document.version;
            return Err(LockError::Malformed(format!(
                "version {version}, expected 1"
            )));
        }
        let mut lock = Self::default();
        for (name, entry) in document.model {
            let refused = |reason| LockError::Entry {
                name: name.chars().take(MAX_NAME).collect(),
                reason,
            };
            let key = name.parse().map_err(refused)?;
            lock.entries
                .insert(key, Entry::new(entry).map_err(refused)?);
        }
        Ok(lock)
    }

    /// Writes the file: entries by name, a member a line, so that a change is a small difference.
    pub fn to_toml(&self) -> String {
        let mut text = "# Written by `modelctl lock`.\nversion = 1\n".to_owned();
        for (name, entry) in &self.entries {
            entry.write(name, &mut text).expect("a string grows");
        }
        text
    }

    /// The entries by name.
    pub fn entries(&self) -> impl Iterator<Item = (&Name, &Entry)> {
        self.entries.iter()
    }

    /// The entry with a name.
    pub fn named(&self, name: &str) -> Option<&Entry> {
        let (_, entry) = self.entries.iter().find(|(key, _)| key.0 == name)?;
        Some(entry)
    }

    /// Whether what a reference leads to is what is locked for it.
    ///
    /// A reference with a digest is held by any entry of its repository with that digest, any other
    /// one by the entries with its tag.
    pub fn hold(&self, reference: &Reference, found: &Digest) -> Result<&Entry, LockError> {
        let of_repository =
            |(_, entry): &(&Name, &Entry)| entry.reference.name() == reference.name();
        let mut same = self.entries.iter().filter(of_repository);
        if reference.digest().is_some() {
            let mut first = None;
            for (name, entry) in same {
                if entry.digest == *found {
                    return Ok(entry);
                }
                first.get_or_insert((name, entry));
            }
            return Err(match first {
                Some((name, entry)) => LockError::OtherDigest {
                    reference: reference.clone(),
                    name: name.clone(),
                    locked: entry.digest,
                },
                None => LockError::NotLocked(reference.to_string()),
            });
        }
        let with_tag = same.find(|(_, entry)| entry.reference.tag() == reference.tag());
        let (_, entry) = with_tag.ok_or_else(|| LockError::NotLocked(reference.to_string()))?;
        match entry.digest == *found {
            true => Ok(entry),
            false => Err(LockError::Moved {
                tag: reference
                    .tag()
                    .map_or_else(String::new, ToString::to_string),
                locked: entry.digest,
                found: *found,
            }),
        }
    }

    /// Puts an entry in. One that is there is replaced only with `update`, and by one for which the
    /// signers were verified too, if they were before. The date of an entry that says the same stays.
    pub fn put(&mut self, name: Name, entry: Entry, update: bool) -> Result<Put, LockError> {
        let Some(present) = self.entries.get(&name) else {
            self.entries.insert(name, entry);
            return Ok(Put::Added);
        };
        if present.reference != entry.reference && !update {
            let reference = present.reference.clone();
            return Err(LockError::Taken { name, reference });
        }
        if present.digest != entry.digest && !update {
            return Err(LockError::Moved {
                tag: present
                    .reference
                    .tag()
                    .map_or_else(String::new, ToString::to_string),
                locked: present.digest,
                found: entry.digest,
            });
        }
        let unverified = entry.signers.is_empty() && !present.signers.is_empty();
        let same = present.reference == entry.reference && present.digest == entry.digest;
        if same && (unverified || present.signers == entry.signers) {
            return Ok(Put::Unchanged);
        }
        if unverified {
            return Err(LockError::Unverified { name });
        }
        self.entries.insert(name, entry);
        Ok(Put::Updated)
    }
}

impl Entry {
    fn new(document: EntryDocument) -> Result<Self, String> {
        let reference: Reference = document
            .reference
            .parse()
            .map_err(|error| format!("`reference`: {error}"))?;
        if reference.registry().is_none() {
            return Err(format!("`reference`: `{reference}` names no registry"));
        }
        match (reference.tag(), reference.digest()) {
            (None, None) => {
                return Err(format!(
                    "`reference`: `{reference}` has neither tag nor digest"
                ));
            }
            (_, Some(digest)) if *digest != document.digest => {
                return Err(format!(
                    "`reference` has another digest than `digest`: `{digest}`"
                ));
            }
            _ => {}
        }
        let plain = |signer: &String| {
            !signer.is_empty() && signer.len() <= MAX_SIGNER && !signer.contains(char::is_control)
        };
        if !document.signers.iter().all(plain) {
            return Err("`signers` has one that is empty, too long, or not one line".to_owned());
        }
        let locked = humantime::parse_rfc3339(&document.locked);
        let locked = locked.map_err(|error| format!("`locked`: {error}"))?;
        Ok(Self {
            reference,
            digest: document.digest,
            signers: document.signers,
            locked,
        })
    }

    fn write(&self, name: &Name, text: &mut String) -> fmt::Result {
        // A name is a key with quotes: without them a dot would begin a table within it.
        writeln!(text, "\n[model.\"{name}\"]")?;
        writeln!(text, "reference = \"{}\"", self.reference)?;
        writeln!(text, "digest = \"{}\"", self.digest)?;
        if !self.signers.is_empty() {
            // Without control characters, a string of JSON is one of TOML.
            let signers = self.signers.iter().map(|signer| serde_json::json!(signer));
            let signers: Vec<String> = signers.map(|signer| signer.to_string()).collect();
            writeln!(text, "signers = [{}]", signers.join(", "))?;
        }
        let locked = humantime::format_rfc3339_seconds(self.locked);
        writeln!(text, "locked = \"{locked}\"")
    }
}
