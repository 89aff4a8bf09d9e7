//! The repository as a [`Storage`]: blobs and manifests by descriptor.

use std::io::Cursor;
use std::ops::Range;
use std::pin::Pin;

use reqwest::Method;
use tokio::io::AsyncRead;

use super::handle::Repository;
use crate::Result;
use crate::oci::{Descriptor, media_type};
use crate::store::{BlobSource, Storage, VerifyReader, check_range};

/// Reads a blob while it arrives.
type Reader = Pin<Box<dyn AsyncRead + Send>>;

impl Storage for Repository {
    type Reader = Reader;

    async fn fetch(&self, blob: &Descriptor) -> Result<Reader> {
        if media_type::is_manifest(&blob.media_type) {
            let bytes = self.manifest_bytes(blob).await?;
            return Ok(Box::pin(Cursor::new(bytes)));
        }
        let content = self.blob_content(blob, 0..blob.size).await?;
        Ok(Box::pin(VerifyReader::new(content, blob)))
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Reader> {
        let length = check_range(blob, &range)?;
        if length == 0 {
            return Ok(Box::pin(tokio::io::empty()));
        }
        if media_type::is_manifest(&blob.media_type) {
            let bytes = self.manifest_bytes(blob).await?;
            let range = range.start as usize..range.end as usize;
            return Ok(Box::pin(Cursor::new(bytes[range].to_vec())));
        }
        let content = self.blob_content(blob, range).await?;
        Ok(Box::pin(VerifyReader::of_part(content, blob, length)))
    }

    fn honours_ranges(&self) -> bool {
        self.session.host.honours_ranges()
    }

    /// A registry refuses a manifest whose blobs it misses (distribution-spec, "Pushing Manifests"), and
    /// collects no blob that a manifest needs.
    fn keeps_graphs(&self) -> bool {
        true
    }

    fn is_far(&self) -> bool {
        self.session.host.is_far()
    }

    /// Where a registry does not let us look, the answer is no: the push that follows tells why.
    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        let ask = |method| {
            if media_type::is_manifest(&blob.media_type) {
                self.manifest_request(method, &blob.digest.to_string())
            } else {
                self.blob_request(method, &blob.digest)
            }
        };
        let mut found = self.session.send(&ask(Method::HEAD)).await;
        // The answer to a HEAD has no body, and so does not say why.
        if let Err(refused) = &found
            && let Some(status @ (400..=402 | 406..=428)) = refused.status()
        {
            match self.session.attempt(&ask(Method::GET)).await {
                Err(error) if error.status() != Some(status) => {}
                told => found = told,
            }
        }
        match found {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.status(), Some(403..=405)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn mount(&self, blob: &Descriptor, from: &str) -> Result<bool> {
        Self::mount(self, &blob.digest, from).await
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        if media_type::is_manifest(&expected.media_type) {
            return self.push_manifest(expected, content).await;
        }
        Ok(self.push_blob(expected, content).await?)
    }
}
