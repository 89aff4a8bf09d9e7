//! What was found, of which nothing is verified.

use std::fmt;

use serde::Serialize;

use crate::Error;
use crate::model::Sha256;
use crate::oci::{Descriptor, Digest};
use crate::trust::cosign::SIGN_PREDICATE;
use crate::trust::{Bundle, BundleError};

/// What there is of signatures and attestations of an artifact.
#[derive(Debug)]
pub struct Found {
    /// The manifest that everything is looked for.
    pub artifact: Descriptor,
    /// The SHA-256 of its model manifest, where it is a model of ours.
    pub model_manifest: Option<Sha256>,
    /// Bundles and legacy signatures, and whatever could not be looked at.
    pub candidates: Vec<Candidate>,
    /// Referrers that are something else, such as a list of components, as the registry lists them.
    pub others: Vec<Descriptor>,
}

/// Something that may be a signature or an attestation.
#[derive(Debug)]
pub struct Candidate {
    /// Where it was found.
    pub source: Source,
    /// The blob with the bundle, or with the payload of a legacy signature.
    pub blob: Option<Digest>,
    /// The predicate that it is said to have, by an annotation that nobody has signed.
    pub claimed: Option<String>,
    /// What it is, or why it could not be read.
    pub content: Result<Content, Error>,
}

/// What a candidate is.
#[derive(Debug)]
pub enum Content {
    /// A sigstore bundle.
    Bundle {
        /// The bundle.
        bundle: Box<Bundle>,
        /// The bytes that it came in.
        raw: Vec<u8>,
    },
    /// A legacy signature of cosign.
    Legacy {
        /// The bytes that were signed.
        payload: Vec<u8>,
        /// The signature, ASN.1 DER.
        signature: Vec<u8>,
        /// Whether a certificate comes with it, which says whose it is.
        has_certificate: bool,
    },
    /// It is malformed.
    Malformed(BundleError),
    /// A legacy signature without the annotation that holds it, or with one that is not Base64.
    Unsigned,
    /// A referrer that the registry lists for an artifact that it does not refer to.
    Misplaced(String),
}

/// Where a signature is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Source {
    /// In a manifest whose subject is the artifact.
    Referrer {
        /// That manifest.
        manifest: Digest,
    },
    /// In a layer of the artifact.
    Layer {
        /// The path of the layer's file, or its digest.
        path: String,
    },
    /// In a layer of the manifest under a tag beside the artifact.
    Tag {
        /// The tag.
        tag: String,
        /// Which of the layers, from 0 on.
        layer: usize,
    },
    /// In the list of referrers, which could not be read.
    ReferrerList,
    /// Under the tag, which could not be read.
    TagOf {
        /// The tag.
        tag: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Referrer { manifest } => write!(f, "referrer `{manifest}`"),
            Self::Layer { path } => write!(f, "layer `{path}`"),
            Self::Tag { tag, layer } => write!(f, "layer {layer} of tag `{tag}`"),
            Self::ReferrerList => f.write_str("list of referrers"),
            Self::TagOf { tag } => write!(f, "tag `{tag}`"),
        }
    }
}

impl Found {
    /// Whether a signature may be over the files, for which the model manifest is needed.
    pub fn needs_model(&self) -> bool {
        let bundles = self.candidates.iter();
        let mut bundles = bundles.filter(|it| matches!(it.content, Ok(Content::Bundle { .. })));
        let is_other = |candidate: &Candidate| candidate.claimed.as_deref() != Some(SIGN_PREDICATE);
        self.model_manifest.is_some() && bundles.any(is_other)
    }
}

impl Candidate {
    /// One that could not be read.
    pub(super) fn unread(source: Source, error: Error) -> Self {
        Self {
            source,
            blob: None,
            claimed: None,
            content: Err(error),
        }
    }
}

impl Content {
    /// A bundle, or why it is none.
    pub(super) fn bundle(raw: Vec<u8>) -> Self {
        match Bundle::parse(&raw) {
            Ok(bundle) => Self::Bundle {
                bundle: Box::new(bundle),
                raw,
            },
            Err(error) => Self::Malformed(error),
        }
    }
}
