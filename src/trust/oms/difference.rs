//! What was signed against what is there.

use std::collections::HashMap;
use std::fmt;

use super::{ResourceName, Resources, Signed};
use crate::model::Sha256;

/// How many differences are named in a message.
const SHOWN: usize = 3;

/// How a model differs from the one that was signed; at least in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences(Vec<Difference>);

/// A file that is not as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file.
    pub name: String,
    /// In what it differs.
    pub change: Change,
}

/// In what a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was signed and is not there.
    Missing,
    /// It is there and was not signed.
    Unsigned,
    /// It has another content.
    Content {
        /// The SHA-256 that was signed.
        signed: Sha256,
        /// The one that it has.
        actual: Sha256,
    },
}

impl Signed {
    /// Compares what was signed with the files of a model: exactly the same names, each with the
    /// same content.
    pub(super) fn compare(&self, actual: &Resources) -> Result<(), Differences> {
        let mut rest: HashMap<&ResourceName, Sha256> = actual
            .iter()
            .map(|resource| (&resource.name, resource.sha256))
            .collect();
        let mut found = Vec::new();
        match self {
            Self::Named(signed) => {
                for resource in signed.iter() {
                    let change = match rest.remove(&resource.name) {
                        None => Change::Missing,
                        Some(sha256) if sha256 == resource.sha256 => continue,
                        Some(actual) => Change::Content {
                            signed: resource.sha256,
                            actual,
                        },
                    };
                    found.push(Difference::new(resource.name.as_str(), change));
                }
            }
            // It is the one file of no folder.
            Self::Single(_) => found.push(Difference::new(".", Change::Missing)),
        }
        let unsigned = rest
            .into_keys()
            .map(|name| Difference::new(name.as_str(), Change::Unsigned));
        found.extend(unsigned);
        found.sort_by(|a, b| a.name.cmp(&b.name));
        match found.is_empty() {
            true => Ok(()),
            false => Err(Differences(found)),
        }
    }
}

impl Difference {
    fn new(name: &str, change: Change) -> Self {
        let name = name.to_owned();
        Self { name, change }
    }
}

impl Differences {
    /// The files, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Difference> {
        self.0.iter()
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, difference) in self.0.iter().take(SHOWN).enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{difference}")?;
        }
        match self.0.len() {
            count if count > SHOWN => write!(f, " and {} more", count - SHOWN),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.change {
            Change::Missing => write!(f, "`{name}` was signed and is missing"),
            Change::Unsigned => write!(f, "`{name}` was not signed"),
            Change::Content { signed, actual } => write!(
                f,
                "`{name}` has the SHA-256 {}, signed was {}",
                actual.hex(),
                signed.hex()
            ),
        }
    }
}
