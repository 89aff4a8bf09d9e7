//! An honest registry in memory, as far as a client needs one.

use std::collections::BTreeMap;

use modelctl::oci::{Descriptor, Digest, Document, Index};

use super::uploads::{Answer, Uploads};
use super::wire::{Reply, Seen};

/// What the registry holds, whatever the repository.
#[derive(Default)]
pub(crate) struct Honest {
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    /// By digest and by tag.
    pub(crate) manifests: BTreeMap<String, (String, Vec<u8>)>,
    /// Whether the registry keeps lists of referrers.
    pub(crate) has_referrers: bool,
    pub(crate) uploads: Uploads,
}

impl Honest {
    /// Keeps a blob and describes it.
    pub(crate) fn blob(&mut self, bytes: &[u8]) -> Descriptor {
        let blob = Descriptor::of("application/octet-stream", bytes);
        self.blobs.insert(blob.digest.to_string(), bytes.to_vec());
        blob
    }

    /// Keeps a manifest under its digest and a tag.
    pub(crate) fn manifest(&mut self, document: &Document, tag: &str) {
        let kept = (document.media_type().to_owned(), document.raw().to_vec());
        self.manifests
            .insert(document.digest().to_string(), kept.clone());
        self.manifests.insert(tag.to_owned(), kept);
    }

    /// The answer to a request.
    pub(crate) fn answer(&mut self, seen: &Seen, body: Vec<u8>) -> Reply {
        let path = seen.path();
        let after = |marker: &str| path.split_once(marker).map(|(_, rest)| rest.to_owned());
        if path == "/v2/" {
            Reply::new(200, "{}")
        } else if let Some(id) = after("/blobs/uploads/") {
            let known = seen
                .query("mount")
                .filter(|mount| self.blobs.contains_key(mount));
            match self.uploads.answer(seen, &id, body, known) {
                Answer::Reply(reply) => reply,
                Answer::Stored(digest, content) => {
                    self.blobs.insert(digest.clone(), content);
                    Reply::new(201, "").with("Docker-Content-Digest", digest)
                }
            }
        } else if let Some(digest) = after("/blobs/") {
            self.get_blob(seen, &digest)
        } else if let Some(name) = after("/manifests/") {
            self.on_manifest(seen, &name, body)
        } else if let Some(digest) = after("/referrers/") {
            self.referrers(&digest)
        } else if path.ends_with("/tags/list") {
            let tags: Vec<_> = self
                .manifests
                .keys()
                .filter(|key| !key.contains(':'))
                .collect();
            Reply::new(
                200,
                serde_json::json!({"name": "m", "tags": tags}).to_string(),
            )
        } else {
            Reply::new(404, "")
        }
    }

    fn get_blob(&self, seen: &Seen, digest: &str) -> Reply {
        let Some(bytes) = self.blobs.get(digest) else {
            return unknown("BLOB_UNKNOWN");
        };
        let range = seen
            .header("range")
            .and_then(|text| text.strip_prefix("bytes="));
        let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
            return Reply::new(200, bytes.clone());
        };
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        if last >= bytes.len() {
            return Reply::new(416, "").with("Content-Range", format!("bytes */{}", bytes.len()));
        }
        let range = format!("bytes {first}-{last}/{}", bytes.len());
        Reply::new(206, &bytes[first..=last]).with("Content-Range", range)
    }

    fn on_manifest(&mut self, seen: &Seen, name: &str, body: Vec<u8>) -> Reply {
        match seen.method.as_str() {
            "PUT" => self.put_manifest(seen, name, body),
            "DELETE" => match self.manifests.remove(name) {
                Some(_) => Reply::new(202, ""),
                None => unknown("MANIFEST_UNKNOWN"),
            },
            _ => match self.manifests.get(name) {
                Some((media_type, bytes)) => Reply::new(200, bytes.clone())
                    .with("Content-Type", media_type)
                    .with("Docker-Content-Digest", Digest::sha256(bytes).to_string()),
                None => unknown("MANIFEST_UNKNOWN"),
            },
        }
    }

    fn put_manifest(&mut self, seen: &Seen, name: &str, body: Vec<u8>) -> Reply {
        let media_type = seen.header("content-type").unwrap_or_default();
        let document = match Document::parse(body, Some(media_type)) {
            Ok(document) => document,
            Err(error) => return Reply::new(400, error.to_string()),
        };
        self.manifest(&document, name);
        let digest = document.digest().to_string();
        let reply = Reply::new(201, "").with("Docker-Content-Digest", digest);
        match document.subject().filter(|_| self.has_referrers) {
            Some(subject) => reply.with("OCI-Subject", subject.digest.to_string()),
            None => reply,
        }
    }

    fn referrers(&self, digest: &str) -> Reply {
        if !self.has_referrers {
            return Reply::new(404, "404 page not found");
        }
        let documents = self.manifests.iter().filter(|(name, _)| name.contains(':'));
        let documents = documents.map(|(_, (media_type, bytes))| {
            Document::parse(bytes.clone(), Some(media_type)).unwrap()
        });
        let of_subject = |document: &Document| {
            let subject = document.subject()?;
            let mut entry = document.descriptor();
            entry.annotations = document.manifest().ok()?.annotations.clone();
            (subject.digest.to_string() == digest).then_some(entry)
        };
        let list = documents
            .filter_map(|document| of_subject(&document))
            .collect();
        let index = Document::from_index(Index::new(list));
        Reply::new(200, index.raw()).with("Content-Type", index.media_type())
    }
}

pub(super) fn unknown(code: &str) -> Reply {
    let error = serde_json::json!({"errors": [{"code": code, "message": "unknown"}]});
    Reply::new(404, error.to_string()).with("Content-Type", "application/json")
}
