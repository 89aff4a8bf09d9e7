//! The search: an artifact in a store → [`Found`].

use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use super::budget::{Budget, MAX_REFERRERS, MAX_SIGNATURE_BYTES, MAX_SIGNATURES, MAX_TIME};
use super::candidate::{Candidate, Content, Found};
use super::{layers, legacy, referrers};
use crate::oci::{Descriptor, Document};
use crate::store::{Referrers, Storage, fetch_small};
use crate::trust::MAX_BUNDLE_SIZE;
use crate::{Error, ErrorKind};

/// How many are fetched at a time.
pub(super) const JOBS: usize = 8;

/// Why nothing can be said about the signatures of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// There are more than are looked at.
    #[error("too many signatures (limit {MAX_SIGNATURES})")]
    TooMany,
    /// More refer to it than are gone through.
    #[error("too many referrers (limit {MAX_REFERRERS})")]
    TooManyReferrers,
    /// They are larger than what is read.
    #[error("signatures too large together (limit {} MiB)", MAX_SIGNATURE_BYTES >> 20)]
    TooLarge,
    /// They did not come in time.
    #[error("the signatures have not come within {} minutes", MAX_TIME.as_secs() / 60)]
    TooSlow,
}

impl FindError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooSlow => ErrorKind::Unavailable,
            Self::TooMany | Self::TooManyReferrers | Self::TooLarge => ErrorKind::Mismatch,
        }
    }
}

/// Finds the signatures and attestations of an artifact. `legacy` is what the tag
/// [`legacy_tag`](crate::trust::cosign::legacy_tag) beside it leads to: nothing if there is no such
/// tag, and an error if that could not be found out.
///
/// # Errors
/// There are too many to look at, or they do not come. What could not be read is in
/// [`Found::candidates`].
pub async fn find<S: Storage + Referrers>(
    store: &S,
    artifact: &Document,
    legacy: Result<Option<Document>, Error>,
) -> Result<Found, FindError> {
    let searched = timeout(MAX_TIME, search(store, artifact, legacy)).await;
    searched.unwrap_or(Err(FindError::TooSlow))
}

async fn search<S: Storage + Referrers>(
    store: &S,
    artifact: &Document,
    legacy: Result<Option<Document>, Error>,
) -> Result<Found, FindError> {
    let mut found = Found {
        artifact: artifact.descriptor(),
        model_manifest: layers::model_manifest(artifact),
        candidates: Vec::new(),
        others: Vec::new(),
    };
    let mut budget = Budget::default();
    let mut wanted = layers::of(artifact);
    wanted.extend(legacy::of(
        &found.artifact.digest,
        legacy,
        &mut found.candidates,
    ));
    budget.candidates(wanted.len())?;
    wanted.extend(referrers::of(store, &mut found, &mut budget).await?);
    budget.bytes(wanted.iter().map(|wanted| &wanted.blob))?;
    let mut fetched = stream::iter(wanted)
        .map(|wanted| wanted.fetch(store))
        .buffered(JOBS);
    while let Some(candidate) = fetched.next().await {
        found.candidates.push(candidate);
    }
    Ok(found)
}

/// A candidate whose blob is still to be fetched.
pub(super) struct Wanted {
    /// All but its content.
    pub(super) source: super::Source,
    pub(super) blob: Descriptor,
    pub(super) form: Form,
}

/// How a blob is a signature.
pub(super) enum Form {
    /// It is a bundle; `claimed` is the predicate by its annotation.
    Bundle { claimed: Option<String> },
    /// It is a payload, and its signature is an annotation.
    Legacy {
        signature: Option<Vec<u8>>,
        has_certificate: bool,
    },
}

impl Wanted {
    async fn fetch(self, store: &impl Storage) -> Candidate {
        let bytes = fetch_small(store, &self.blob, MAX_BUNDLE_SIZE).await;
        let (claimed, content) = match self.form {
            Form::Bundle { claimed } => (claimed, bytes.map(Content::bundle)),
            Form::Legacy {
                signature: None, ..
            } => (None, Ok(Content::Unsigned)),
            Form::Legacy {
                signature: Some(signature),
                has_certificate,
            } => (
                None,
                bytes.map(|payload| Content::Legacy {
                    payload,
                    signature,
                    has_certificate,
                }),
            ),
        };
        Candidate {
            source: self.source,
            blob: Some(self.blob.digest),
            claimed,
            content,
        }
    }
}
