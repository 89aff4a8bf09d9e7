//! The referrers tag schema (distribution-spec, "Referrers Tag Schema"): for registries that do
//! not keep a list of referrers, clients keep one in an index under the tag `<algorithm>-<hex>`.
//!
//! Several clients write that tag. A registry with `If-Match` tells who came second; for the others
//! the tag is read again after a short while, and changed again if another client's index has
//! replaced ours.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::handle::Repository;
use crate::oci::{Descriptor, Digest, Document, Index, Kind, MAX_MANIFEST_SIZE, media_type};
use crate::transport::TransportError;
use crate::transport::error::ProtocolFault;

/// How often a change is made again before somebody should look at what goes on.
const MAX_UPDATES: u32 = 10;

/// Longer than another client takes between reading the tag and writing it, on a fast link.
const SETTLE_TIME: Duration = Duration::from_millis(100);
/// On a slow link others are slow as well: this many times what our own change took.
const SETTLE_FACTOR: u32 = 4;

/// What is to become of an entry.
enum Change<'a> {
    Add(&'a Descriptor),
    Remove(&'a Digest),
}

impl Repository {
    /// The manifests that the tag lists as referrers; none if there is no such tag.
    pub(super) async fn tagged_referrers(
        &self,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, TransportError> {
        match self.read_referrers_tag(&tag_of(subject)).await {
            Ok(Some(current)) => Ok(current.index.manifests),
            Ok(None) => Ok(Vec::new()),
            // An image may have a tag of this form without being such an index.
            Err(TransportError::Document { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Lists a manifest as a referrer of its subject.
    pub(super) async fn add_to_referrers_tag(
        &self,
        subject: &Digest,
        referrer: &Document,
    ) -> Result<(), TransportError> {
        let entry = entry_of(referrer);
        self.change_referrers_tag(subject, &Change::Add(&entry))
            .await
    }

    /// Lists a manifest no longer as a referrer of its subject.
    pub(super) async fn remove_from_referrers_tag(
        &self,
        subject: &Digest,
        referrer: &Digest,
    ) -> Result<(), TransportError> {
        self.change_referrers_tag(subject, &Change::Remove(referrer))
            .await
    }

    async fn change_referrers_tag(
        &self,
        subject: &Digest,
        change: &Change<'_>,
    ) -> Result<(), TransportError> {
        let tag = tag_of(subject);
        let _alone = self.session.shared.referrers_tags.lock().await;
        for _ in 0..MAX_UPDATES {
            let start = Instant::now();
            let found = self.read_referrers_tag(&tag).await?;
            let mut current = found.unwrap_or_default();
            if change.is_made(&current.index) {
                return Ok(());
            }
            change.make(&mut current.members);
            match self.write_referrers_tag(&tag, current).await {
                Ok(()) => {
                    let settled = SETTLE_TIME.max(start.elapsed() * SETTLE_FACTOR);
                    tokio::time::sleep(settled).await;
                }
                Err(error) if matches!(error.status(), Some(409 | 412)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(TransportError::Protocol {
            request: self.manifest_request(Method::PUT, &tag).line(),
            fault: ProtocolFault::LostUpdates(MAX_UPDATES),
        })
    }

    /// What is under the tag; something else than an index is an error.
    async fn read_referrers_tag(&self, tag: &str) -> Result<Option<Current>, TransportError> {
        let request = self.manifest_request(Method::GET, tag);
        let read = self
            .session
            .read(&request, "referrers tag", MAX_MANIFEST_SIZE)
            .await;
        let (answer, bytes) = match read {
            Ok(found) => found,
            Err(error) if error.status() == Some(404) => return Ok(None),
            Err(error) => return Err(error),
        };
        let content_type = answer.header(CONTENT_TYPE.as_str());
        let document = Document::parse(bytes, content_type);
        let document = document.map_err(|cause| answer.document(cause))?;
        let Kind::Index(index) = document.kind() else {
            let found = crate::oci::OciError::NotIndex(document.media_type().to_owned());
            return Err(answer.document(found));
        };
        let members = serde_json::from_slice(document.raw());
        let etag = answer.headers().get(ETAG);
        Ok(Some(Current {
            index: index.clone(),
            members: members.map_err(|error| answer.malformed("referrers tag", &error))?,
            // A weak one does not compare bytes.
            etag: etag
                .filter(|etag| etag.as_bytes().starts_with(b"\""))
                .cloned(),
        }))
    }

    async fn write_referrers_tag(&self, tag: &str, new: Current) -> Result<(), TransportError> {
        let bytes = new.members.to_string().into_bytes();
        let index = Descriptor::of(media_type::INDEX, &bytes);
        let mut put = self.manifest_put(&index, bytes, tag)?;
        if let Some(etag) = new.etag {
            put = put.header(IF_MATCH, etag);
        }
        self.put_manifest(&put, &index.digest).await?;
        Ok(())
    }
}

/// What is under a referrers tag.
struct Current {
    index: Index,
    /// The index with the members that only others know.
    members: Value,
    etag: Option<HeaderValue>,
}

impl Default for Current {
    fn default() -> Self {
        let members = json!({
            "schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": [],
        });
        Self {
            index: Index::new(Vec::new()),
            members,
            etag: None,
        }
    }
}

impl Change<'_> {
    fn is_made(&self, index: &Index) -> bool {
        let lists = |digest: &Digest| index.manifests.iter().any(|entry| entry.digest == *digest);
        match self {
            Self::Add(entry) => lists(&entry.digest),
            Self::Remove(digest) => !lists(digest),
        }
    }

    fn make(&self, members: &mut Value) {
        let Some(entries) = members["manifests"].as_array_mut() else {
            return;
        };
        match self {
            Self::Add(entry) => entries.push(json!(entry)),
            Self::Remove(digest) => {
                let digest = digest.to_string();
                entries.retain(|entry| entry["digest"] != *digest);
            }
        }
    }
}

/// `sha256-<hex>`; the hex of longer digests is cut to the 64 characters that the schema allows.
fn tag_of(subject: &Digest) -> String {
    let hex = subject.hex();
    format!("{}-{}", subject.algorithm(), &hex[..64])
}

/// The entry of a referrer, with its artifact type and annotations.
fn entry_of(referrer: &Document) -> Descriptor {
    let mut entry = referrer.descriptor();
    match referrer.kind() {
        Kind::Manifest(manifest) => {
            entry.artifact_type = Some(manifest.artifact_type().to_owned());
            entry.annotations = manifest.annotations.clone();
        }
        Kind::Index(index) => entry.annotations = index.annotations.clone(),
    }
    entry
}
