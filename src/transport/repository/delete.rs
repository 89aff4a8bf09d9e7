//! Deletes tags and manifests (distribution-spec, "Deleting tags", "Deleting Manifests").

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::handle::{Access, Repository};
use crate::Result;
use crate::oci::{Digest, Document, MAX_MANIFEST_SIZE, Reference, Tag};
use crate::transport::TransportError;

impl Repository {
    /// Deletes what a reference names: a manifest and with it all its tags if it has a digest,
    /// else the tag alone. Many registries allow neither, or only one.
    pub async fn delete(&self, reference: &Reference) -> Result<()> {
        match (reference.digest(), reference.tag()) {
            (Some(digest), _) => self.delete_manifest(digest).await?,
            (None, Some(tag)) => self.delete_tag(tag).await?,
            (None, None) => {
                return Err(TransportError::Unusable {
                    subject: format!("reference `{reference}`"),
                    reason: "names no tag and no digest to delete".to_owned(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Deletes a manifest, and its entry in the referrers tag of its subject.
    async fn delete_manifest(&self, digest: &Digest) -> Result<(), TransportError> {
        let subject = self.subject_of(digest).await?;
        self.delete_name(&digest.to_string()).await?;
        match subject {
            Some(subject) => self.remove_from_referrers_tag(&subject, digest).await,
            None => Ok(()),
        }
    }

    /// Deletes a tag. A registry that keeps its tags says so with 400 or 405 (distribution-spec,
    /// "Deleting tags"), and old ones with an error that speaks of digests.
    async fn delete_tag(&self, tag: &Tag) -> Result<(), TransportError> {
        match self.delete_name(&tag.to_string()).await {
            Err(error) if matches!(error.status(), Some(400 | 405)) => {
                Err(TransportError::TagStays {
                    tag: tag.to_string(),
                    cause: Box::new(error),
                })
            }
            deleted => deleted,
        }
    }

    async fn delete_name(&self, name: &str) -> Result<(), TransportError> {
        let request = self.request(Method::DELETE, &format!("manifests/{name}"), Access::Push);
        self.session.send(&request).await?.drain().await;
        Ok(())
    }

    /// The subject of a manifest; none either if the manifest is not one we understand.
    async fn subject_of(&self, digest: &Digest) -> Result<Option<Digest>, TransportError> {
        let request = self.manifest_request(Method::GET, &digest.to_string());
        let (answer, bytes) = self
            .session
            .read(&request, "manifest", MAX_MANIFEST_SIZE)
            .await?;
        let document = Document::parse(bytes, answer.header(CONTENT_TYPE.as_str())).ok();
        Ok(document.and_then(|document| Some(document.subject()?.digest)))
    }
}
