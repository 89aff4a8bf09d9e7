//! What is compared.

use serde::Serialize;

use crate::model::ModelManifest;
use crate::oci::{Digest, Document, Manifest, OciError};

/// One of the two versions, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Side<'a> {
    /// Digest and OCI manifest; a pulled folder has none.
    artifact: Option<(Digest, &'a Manifest)>,
    /// The model manifest; artifacts of other tools have none.
    model: Option<&'a ModelManifest>,
    /// Who signed it, if that was looked for.
    signers: Option<Vec<Signer>>,
}

impl<'a> Side<'a> {
    /// An artifact, with its model manifest unless another tool made it. An index is refused.
    pub fn artifact(
        document: &'a Document,
        model: Option<&'a ModelManifest>,
    ) -> Result<Self, OciError> {
        Ok(Self {
            artifact: Some((document.digest(), document.manifest()?)),
            model,
            signers: None,
        })
    }

    /// A pulled folder.
    pub fn folder(model: &'a ModelManifest) -> Self {
        Self {
            model: Some(model),
            ..Self::default()
        }
    }

    /// The same with who signed it.
    pub fn with_signers(self, signers: Vec<Signer>) -> Self {
        Self {
            signers: Some(signers),
            ..self
        }
    }

    pub(super) fn digest(&self) -> Option<Digest> {
        self.artifact.map(|(digest, _)| digest)
    }

    pub(super) fn manifest(&self) -> Option<&'a Manifest> {
        self.artifact.map(|(_, manifest)| manifest)
    }

    pub(super) fn model(&self) -> Option<&'a ModelManifest> {
        self.model
    }

    pub(super) fn signers(&self) -> Option<&[Signer]> {
        self.signers.as_deref()
    }
}

/// Who signed an artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum Signer {
    /// The holder of a key.
    Key {
        /// The SHA-256 of the public key's SPKI in DER, lower-case hex.
        id: String,
    },
    /// An identity that an issuer vouches for.
    Identity {
        /// The subject of the certificate.
        subject: String,
        /// Who vouches for it.
        issuer: String,
    },
}

/// The signers of both versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signers {
    /// Those of A, sorted.
    pub a: Vec<Signer>,
    /// Those of B, sorted.
    pub b: Vec<Signer>,
}

/// The signers, if they were looked for on both sides.
pub(super) fn signers(a: &Side<'_>, b: &Side<'_>) -> Option<Signers> {
    let sorted = |side: &Side<'_>| {
        let mut signers = side.signers()?.to_vec();
        signers.sort();
        signers.dedup();
        Some(signers)
    };
    Some(Signers {
        a: sorted(a)?,
        b: sorted(b)?,
    })
}
