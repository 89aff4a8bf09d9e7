//! Manifests: fetched whole, verified over the exact bytes, pushed under their digest.

use std::io::Read;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};

use super::handle::{Access, Repository};
use crate::Result;
use crate::oci::{
    Descriptor, Digest, Document, Kind, MAX_MANIFEST_SIZE, OciError, Reference, Tag, media_type,
};
use crate::store::{BlobSource, Tags, VerifyReader, error_of_read, on_thread};
use crate::transport::TransportError;
use crate::transport::error::ContentFault;
use crate::transport::failure::ManifestPut;
use crate::transport::http::{Answer, Body, Request};

pub(super) const CONTENT_DIGEST: &str = "docker-content-digest";

impl Tags for Repository {
    async fn resolve(&self, reference: &Reference) -> Result<Document> {
        let name = match reference.digest() {
            Some(digest) => digest.to_string(),
            None => tag_of(reference).to_string(),
        };
        let (answer, bytes) = self.read_manifest(&name).await?;
        check_digest(&answer, &bytes, reference.digest())?;
        let content_type = answer.header(CONTENT_TYPE.as_str());
        let document = Document::parse(bytes, content_type);
        Ok(document.map_err(|cause| answer.document(cause))?)
    }

    async fn tag(&self, manifest: &Descriptor, reference: &Reference) -> Result<()> {
        let bytes = self.manifest_bytes(manifest).await?;
        let put = self.manifest_put(manifest, bytes, tag_of(reference).as_str())?;
        self.put_manifest(&put, &manifest.digest).await?;
        Ok(())
    }
}

impl Repository {
    /// A request to the endpoint of a manifest, by tag or digest.
    pub(super) fn manifest_request<'a>(&self, method: Method, name: &str) -> Request<'a> {
        let accept = media_type::MANIFEST_TYPES.join(", ");
        let accept = HeaderValue::try_from(accept).expect("media types are visible ASCII");
        let request = self.request(method, &format!("manifests/{name}"), Access::Pull);
        request.header(ACCEPT, accept)
    }

    /// The exact bytes of a manifest, of which length and digest were checked.
    pub(super) async fn manifest_bytes(&self, manifest: &Descriptor) -> Result<Vec<u8>> {
        let (answer, bytes) = self.read_manifest(&manifest.digest.to_string()).await?;
        let (expected, actual) = (manifest.size, bytes.len() as u64);
        if expected != actual {
            return Err(answer
                .content(ContentFault::Size { expected, actual })
                .into());
        }
        check_digest(&answer, &bytes, Some(&manifest.digest))?;
        Ok(bytes)
    }

    async fn read_manifest(&self, name: &str) -> Result<(Answer, Vec<u8>), TransportError> {
        let request = self.manifest_request(Method::GET, name);
        let (answer, bytes) = self
            .session
            .read(&request, "manifest", MAX_MANIFEST_SIZE)
            .await?;
        answer.require_no_page(media_type::MANIFEST, None)?;
        Ok((answer, bytes))
    }

    /// Pushes a manifest under its digest, and makes it found by its subject.
    pub(super) async fn push_manifest(
        &self,
        expected: &Descriptor,
        content: &dyn BlobSource,
    ) -> Result<()> {
        let bytes = read_source(expected, content).await?;
        let put = self.manifest_put(expected, bytes.clone(), &expected.digest.to_string())?;
        let answer = self.put_manifest(&put, &expected.digest).await?;
        let document = Document::parse(bytes, Some(&expected.media_type))?;
        if let Some(subject) = document.subject() {
            let handled = answer.header("oci-subject");
            if handled != Some(&subject.digest.to_string()) {
                self.add_to_referrers_tag(&subject.digest, &document)
                    .await?;
            }
        }
        Ok(())
    }

    /// The request that stores a manifest under a tag or its digest.
    pub(super) fn manifest_put(
        &self,
        manifest: &Descriptor,
        bytes: Vec<u8>,
        name: &str,
    ) -> Result<Request<'static>, TransportError> {
        let content_type = HeaderValue::try_from(&manifest.media_type);
        let content_type = content_type.map_err(|_| TransportError::Unusable {
            subject: format!("media type {:?}", manifest.media_type),
            reason: "not a valid HTTP header".to_owned(),
        })?;
        let mut request = self.request(Method::PUT, &format!("manifests/{name}"), Access::Push);
        request.manifest = Some(Arc::new(facts(manifest, &bytes, name)));
        Ok(request.content(content_type, Body::Bytes(bytes.into())))
    }

    /// Stores a manifest, and makes sure that it is that one which the registry keeps: some
    /// convert manifests.
    pub(super) async fn put_manifest(
        &self,
        put: &Request<'_>,
        digest: &Digest,
    ) -> Result<Answer, TransportError> {
        let answer = self.session.send(put).await?;
        match answer.header(CONTENT_DIGEST) {
            Some(stored) => check_stored(&answer, digest, stored)?,
            None => self.check_is_stored(digest, &answer).await?,
        }
        Ok(answer)
    }

    /// Looks after a manifest whose registry does not say what it stored. Some registries answer
    /// 404 to a HEAD for what they have.
    async fn check_is_stored(&self, digest: &Digest, put: &Answer) -> Result<(), TransportError> {
        let ask = |method| self.manifest_request(method, &digest.to_string());
        let mut found = self.session.send(&ask(Method::HEAD)).await;
        if matches!(&found, Err(error) if matches!(error.status(), Some(404 | 405))) {
            found = self.session.send(&ask(Method::GET)).await;
        }
        match found {
            Err(error) if error.status() == Some(404) => Err(put.content(ContentFault::Stored {
                expected: *digest,
                actual: "nothing under that digest".to_owned(),
            })),
            // Not to be allowed to look is no sign that something is wrong.
            Err(error) if error.rejection().is_none() => Err(error),
            _ => Ok(()),
        }
    }
}

/// What a registry may refuse a manifest for.
fn facts(manifest: &Descriptor, bytes: &[u8], name: &str) -> ManifestPut {
    let mut media_types = vec![manifest.media_type.clone()];
    let document = Document::parse(bytes.to_vec(), Some(&manifest.media_type)).ok();
    if let Some(Kind::Manifest(inner)) = document.as_ref().map(Document::kind) {
        media_types.push(inner.artifact_type().to_owned());
        media_types.push(inner.config.media_type.clone());
    }
    media_types.dedup();
    ManifestPut {
        tag: name.parse::<Digest>().is_err().then(|| name.to_owned()),
        size: manifest.size,
        media_types,
    }
}

/// The tag of a reference; `latest` if it has none.
fn tag_of(reference: &Reference) -> Tag {
    match reference.tag() {
        Some(tag) => tag.clone(),
        None => "latest".parse().expect("a valid tag"),
    }
}

/// Compares the bytes with the digest that was asked for, and with the one that the registry
/// announced, in its own algorithm. An announcement that is no digest says nothing.
fn check_digest(
    answer: &Answer,
    bytes: &[u8],
    wanted: Option<&Digest>,
) -> Result<(), TransportError> {
    if let Some(&expected) = wanted {
        let actual = Digest::of(expected.algorithm(), bytes);
        if actual != expected {
            return Err(answer.content(ContentFault::Digest { expected, actual }));
        }
    }
    let announced = answer
        .header(CONTENT_DIGEST)
        .and_then(|text| text.parse().ok());
    if let Some(announced) = announced {
        let announced: Digest = announced;
        let actual = Digest::of(announced.algorithm(), bytes);
        if actual != announced {
            return Err(answer.content(ContentFault::Announced { announced, actual }));
        }
    }
    Ok(())
}

/// Compares what a registry says it stored with what it was sent, if it says it in the same
/// algorithm.
fn check_stored(answer: &Answer, expected: &Digest, stored: &str) -> Result<(), TransportError> {
    let same = match stored.parse::<Digest>() {
        Ok(stored) => stored.algorithm() != expected.algorithm() || stored == *expected,
        Err(_) => false,
    };
    if same {
        return Ok(());
    }
    Err(answer.content(ContentFault::Stored {
        expected: *expected,
        actual: stored.chars().take(160).collect(),
    }))
}

/// The whole of a manifest that is to be pushed.
async fn read_source(expected: &Descriptor, content: &dyn BlobSource) -> Result<Vec<u8>> {
    if expected.size > MAX_MANIFEST_SIZE {
        let size = expected.size;
        return Err(OciError::ManifestTooLarge { size }.into());
    }
    let digest = expected.digest;
    let failed = |error| error_of_read(error, &digest);
    let mut checked = VerifyReader::new(content.open_at(0).map_err(failed)?, expected);
    let read = on_thread(move || {
        let mut bytes = Vec::new();
        checked.read_to_end(&mut bytes).map(|_| bytes)
    });
    read.await.map_err(failed)
}
