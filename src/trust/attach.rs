//! Puts a signature or attestation beside a manifest: one blob under a manifest of its own that
//! names the other one as its `subject` (image-spec `manifest.md`, "Guidelines for Artifact Usage").
//!
//! The shape is that of cosign v3 (`sigstore/cosign:pkg/oci/remote/write.go`, `WriteReferrer`). Blobs
//! come first, then the manifest; the store makes it found by its subject: a layout lists it, a
//! registry without a list of referrers gets the referrers tag.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::bundle::{BUNDLE_V03, Bundle};
use super::cosign::{CONTENT_ANNOTATION, PREDICATE_ANNOTATION};
use super::put::put;
use crate::Result;
use crate::oci::{Descriptor, Document, Manifest, annotation, media_type, timestamp};
use crate::store::{Referrers, Storage, fetch_document};

/// The blob of an artifact without a config (image-spec `manifest.md`, "Guidance for an Empty
/// Descriptor").
const EMPTY: &[u8] = b"{}";
/// How many referrers are looked at to see whether the same is there already. Beyond that one more is
/// written, which does no harm.
const MAX_COMPARED: usize = 50;

/// A blob that is to be attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The media type of the blob, and the artifact type of its manifest.
    pub media_type: String,
    /// The blob.
    pub content: Vec<u8>,
    /// Annotations of the manifest. The time of creation is added.
    pub annotations: BTreeMap<String, String>,
}

/// What was attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The manifest that refers to the subject.
    pub manifest: Descriptor,
    /// Whether it was written now, and not found.
    pub is_new: bool,
}

impl Attachment {
    /// A bundle, with what lets readers choose without fetching it.
    pub fn bundle(bundle: &Bundle, predicate_type: &str) -> Self {
        Self::bundle_bytes(bundle.to_vec(), predicate_type)
    }

    /// The same for the bytes of a bundle.
    pub fn bundle_bytes(bundle: Vec<u8>, predicate_type: &str) -> Self {
        let pairs = [
            (CONTENT_ANNOTATION, "dsse-envelope"),
            (PREDICATE_ANNOTATION, predicate_type),
        ];
        Self {
            media_type: BUNDLE_V03.to_owned(),
            content: bundle,
            annotations: pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        }
    }
}

/// Attaches a blob to a manifest that is in the store. Where the same blob is attached already nothing
/// is written, so that signing again adds nothing: signatures are deterministic.
pub async fn attach<S: Storage + Referrers>(
    store: &S,
    subject: &Descriptor,
    attachment: &Attachment,
    time: SystemTime,
) -> Result<Attached> {
    let blob = Descriptor::of(attachment.media_type.clone(), &attachment.content);
    if let Some(manifest) = find_same(store, subject, &blob).await? {
        return Ok(Attached {
            manifest,
            is_new: false,
        });
    }
    let config = Descriptor::of(media_type::EMPTY, EMPTY);
    let document = manifest(subject, &config, &blob, attachment, time);
    let empty = EMPTY.to_vec();
    let blobs = [(&config, &empty), (&blob, &attachment.content)];
    Ok(Attached {
        manifest: put(store, &blobs, &document).await?,
        is_new: true,
    })
}

fn manifest(
    subject: &Descriptor,
    config: &Descriptor,
    blob: &Descriptor,
    attachment: &Attachment,
    time: SystemTime,
) -> Document {
    let mut annotations = attachment.annotations.clone();
    if let Some(created) = timestamp(time) {
        annotations.insert(annotation::CREATED.to_owned(), created);
    }
    Document::from_manifest(Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: Some(attachment.media_type.clone()),
        config: config.clone(),
        layers: vec![blob.clone()],
        subject: Some(Descriptor::new(
            subject.media_type.clone(),
            subject.digest,
            subject.size,
        )),
        annotations,
    })
}

/// A referrer of the subject that holds exactly this blob.
async fn find_same<S: Storage + Referrers>(
    store: &S,
    subject: &Descriptor,
    blob: &Descriptor,
) -> Result<Option<Descriptor>> {
    let listed = store.referrers(&subject.digest).await?;
    let alike = listed.into_iter().filter(|referrer| {
        let kind = referrer.artifact_type.as_ref();
        kind.is_none_or(|kind| *kind == blob.media_type)
    });
    for referrer in alike.take(MAX_COMPARED) {
        // Somebody else's referrer that is broken or gone is not what is looked for.
        let Ok(document) = fetch_document(store, &referrer).await else {
            continue;
        };
        let refers = document
            .subject()
            .is_some_and(|to| to.digest == subject.digest);
        let holds = |manifest: &Manifest| matches!(manifest.layers.as_slice(), [only] if only.digest == blob.digest);
        if refers && document.manifest().is_ok_and(holds) {
            return Ok(Some(document.descriptor()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
