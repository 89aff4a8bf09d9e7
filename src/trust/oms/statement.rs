//! The statement that is signed: bytes ⇄ [`ModelStatement`].

use serde::{Deserialize, Serialize};

use super::{IgnorePaths, OmsError, Resource, Resources};
use crate::model::Sha256;
use crate::oci::{Algorithm, Digest};
use crate::trust::{Statement, Subject};

/// The predicate that is written and read.
pub const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";
/// The predicate of release 0.2, whose statements list files as subjects.
const OLD_PREDICATE_TYPE: &str = "https://model_signing/Digests/v0.1";
/// The one algorithm of file digests that is written and read.
const SHA256: &str = "sha256";
/// The name that release 1.1 gives a model that is one file, where the specification has its own.
const SINGLE_FILE: &str = ".";

/// What a signature says of a model: its files, their digests, and what is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStatement {
    /// What the signer calls the model. Informational: nothing depends on it.
    pub name: String,
    /// The files.
    pub files: Signed,
    /// What may stand in the model without being signed, besides the signature itself.
    pub ignore_paths: IgnorePaths,
}

/// The files that a statement signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// Files by their names.
    Named(Resources),
    /// The model is one file, which has no name.
    Single(Sha256),
}

/// The predicate, as in `schemas/v1.0/predicate.schema.json` of the specification. Members are in the
/// order of the alphabet, which is what they are written in whether or not maps keep their order.
#[derive(Debug, Serialize, Deserialize)]
struct Predicate {
    resources: Vec<Descriptor>,
    serialization: Serialization,
}

#[derive(Debug, Serialize, Deserialize)]
struct Serialization {
    allow_symlinks: bool,
    hash_type: String,
    #[serde(default)]
    ignore_paths: Vec<String>,
    method: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Descriptor {
    algorithm: String,
    digest: String,
    name: String,
}

impl ModelStatement {
    /// States that these are the files of a model.
    pub fn new(name: String, resources: Resources, ignore_paths: IgnorePaths) -> Self {
        let files = Signed::Named(resources);
        Self {
            name,
            files,
            ignore_paths,
        }
    }

    /// Reads the payload of an envelope whose signature was verified: nothing of it may be believed
    /// before. The root is computed again, in the order of the list; both the specification's order
    /// and that of release 1.1 occur.
    ///
    /// # Errors
    /// [`OmsError::Statement`] for what breaks the format, [`OmsError::Unsupported`] for a hash or
    /// a method that is not read here.
    pub fn parse(payload: &[u8]) -> Result<Self, OmsError> {
        let statement = Statement::parse(payload)?;
        match statement.predicate_type.as_str() {
            PREDICATE_TYPE => {}
            OLD_PREDICATE_TYPE => {
                return Err(OmsError::Unsupported(
                    "the predicate of release 0.2".to_owned(),
                ));
            }
            other => {
                let other = excerpt(other);
                let reason = format!("its predicate is {other:?}, expected `{PREDICATE_TYPE}`");
                return Err(OmsError::statement(reason));
            }
        }
        let [subject] = statement.subject.as_slice() else {
            let count = statement.subject.len();
            let reason = format!("it has {count} subjects, expected one");
            return Err(OmsError::statement(reason));
        };
        let predicate = serde_json::from_value(statement.predicate);
        let predicate = predicate.map_err(|error| OmsError::statement(error.to_string()))?;
        Self::read(subject, predicate)
    }

    fn read(subject: &Subject, predicate: Predicate) -> Result<Self, OmsError> {
        let Serialization {
            method,
            hash_type,
            ignore_paths: recorded,
            // A link is refused whatever the signer did with it.
            allow_symlinks: _,
        } = predicate.serialization;
        check_method(&method, &hash_type)?;
        let mut ignore_paths = IgnorePaths::default();
        for path in &recorded {
            let added = ignore_paths.add_recorded(path);
            added.map_err(|error| OmsError::statement(error.to_string()))?;
        }
        let files = Signed::read(predicate.resources)?;
        let root = files.root();
        if !subject.is(root) {
            let named = subject.digest.get(SHA256).map_or("none", String::as_str);
            return Err(OmsError::statement(format!(
                "its subject has the SHA-256 {named:?}, its files give {}",
                root.hex()
            )));
        }
        Ok(Self {
            name: subject.name.clone().unwrap_or_default(),
            files,
            ignore_paths,
        })
    }

    /// The in-toto statement; the same for equal input.
    pub fn to_statement(&self) -> Statement {
        let predicate = Predicate {
            resources: self.files.descriptors(),
            serialization: Serialization {
                allow_symlinks: false,
                hash_type: SHA256.to_owned(),
                ignore_paths: self.ignore_paths.iter().map(str::to_owned).collect(),
                method: "files".to_owned(),
            },
        };
        let subject = Subject {
            name: Some(self.name.clone()),
            ..Subject::new(self.files.root())
        };
        let predicate = serde_json::to_value(predicate);
        let predicate = predicate.expect("the types have string keys only");
        Statement::new(subject, PREDICATE_TYPE, predicate)
    }
}

impl Signed {
    fn read(descriptors: Vec<Descriptor>) -> Result<Self, OmsError> {
        if let [only] = descriptors.as_slice()
            && only.name == SINGLE_FILE
        {
            return Ok(Self::Single(only.sha256()?));
        }
        let resources = descriptors.into_iter().map(|descriptor| {
            let sha256 = descriptor.sha256()?;
            let name = descriptor.name.parse();
            let name =
                name.map_err(|error: super::NameError| OmsError::statement(error.to_string()))?;
            Ok(Resource { name, sha256 })
        });
        let resources = resources.collect::<Result<Vec<_>, OmsError>>()?;
        Ok(Self::Named(Resources::listed(resources)?))
    }

    fn descriptors(&self) -> Vec<Descriptor> {
        match self {
            Self::Named(resources) => resources
                .iter()
                .map(|resource| Descriptor::new(resource.name.as_str(), resource.sha256))
                .collect(),
            Self::Single(sha256) => vec![Descriptor::new(SINGLE_FILE, *sha256)],
        }
    }

    /// The one digest of all files (OMS v1.0, section 6.5.1).
    pub fn root(&self) -> Sha256 {
        match self {
            Self::Named(resources) => resources.root(),
            Self::Single(sha256) => {
                let root = Digest::of(Algorithm::Sha256, &sha256.0);
                Sha256::try_from(root).expect("it is a SHA-256")
            }
        }
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Named(resources) => resources.iter().len(),
            Self::Single(_) => 1,
        }
    }
}

impl Descriptor {
    fn new(name: &str, sha256: Sha256) -> Self {
        Self {
            algorithm: SHA256.to_owned(),
            digest: sha256.hex(),
            name: name.to_owned(),
        }
    }

    fn sha256(&self) -> Result<Sha256, OmsError> {
        if self.algorithm != SHA256 {
            return Err(unsupported_hash(&self.algorithm));
        }
        let digest = format!("{SHA256}:{}", self.digest).parse::<Digest>();
        let sha256 = digest.ok().and_then(|digest| Sha256::try_from(digest).ok());
        sha256.ok_or_else(|| {
            let (name, digest) = (excerpt(&self.name), excerpt(&self.digest));
            OmsError::statement(format!(
                "{name:?} has the digest {digest:?}, no SHA-256 in lower-case hex"
            ))
        })
    }
}

fn check_method(method: &str, hash_type: &str) -> Result<(), OmsError> {
    match method {
        "files" if hash_type == SHA256 => Ok(()),
        "files" => Err(unsupported_hash(hash_type)),
        "shards" => Err(OmsError::Unsupported(
            "digests of shards instead of files".to_owned(),
        )),
        other => {
            let other = excerpt(other);
            Err(OmsError::statement(format!(
                "its method is {other:?}, expected `files`"
            )))
        }
    }
}

fn unsupported_hash(name: &str) -> OmsError {
    OmsError::Unsupported(format!("digests of the algorithm {:?}", excerpt(name)))
}

/// The start of a text, short enough for a message.
fn excerpt(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests;
