//! The manifests that refer to another (distribution-spec, "Listing Referrers"), from the
//! registry's own list or, where it keeps none, from the referrers tag.

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};

use super::handle::{Access, Repository};
use super::pages::{MAX_ITEMS, Pages};
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Kind, MAX_MANIFEST_SIZE, media_type};
use crate::store::Referrers;
use crate::transport::TransportError;
use crate::transport::error::ProtocolFault;

impl Referrers for Repository {
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        match self.listed_referrers(subject, None).await? {
            Some(referrers) => Ok(referrers),
            None => Ok(self.tagged_referrers(subject).await?),
        }
    }

    async fn first_referrers(&self, subject: &Digest, limit: usize) -> Result<Vec<Descriptor>> {
        let mut first = match self.listed_referrers(subject, Some(limit)).await? {
            Some(referrers) => referrers,
            None => self.tagged_referrers(subject).await?,
        };
        first.truncate(limit);
        Ok(first)
    }
}

impl Repository {
    /// What the registry lists, to the end of the page that reaches `enough`; nothing if it has no
    /// such list.
    async fn listed_referrers(
        &self,
        subject: &Digest,
        enough: Option<usize>,
    ) -> Result<Option<Vec<Descriptor>>, TransportError> {
        let accept = HeaderValue::from_static(media_type::INDEX);
        let request = self.request(Method::GET, &format!("referrers/{subject}"), Access::Pull);
        let mut pages = Pages::new(&self.session, request.header(ACCEPT, accept));
        let mut referrers = Vec::new();
        loop {
            let (answer, body) = match pages.next("list of referrers", MAX_MANIFEST_SIZE).await {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(Some(referrers)),
                Err(error) if matches!(error.status(), Some(400 | 404 | 405)) => return Ok(None),
                Err(error) => return Err(error),
            };
            let content_type = answer.header(CONTENT_TYPE.as_str());
            let page = match Document::parse(body, content_type) {
                // A list that cannot be read is not one with nothing on it: who knows who has signed?
                Err(cause) if content_type.is_some_and(is_list) => {
                    return Err(answer.document(cause));
                }
                page => page.ok(),
            };
            // Registries that do not know the endpoint answer it with all kinds of things.
            let Some(Kind::Index(index)) = page.as_ref().map(Document::kind) else {
                return Ok(None);
            };
            referrers.extend(index.manifests.iter().cloned());
            if referrers.len() > MAX_ITEMS {
                return Err(answer.protocol(ProtocolFault::TooManyItems(MAX_ITEMS)));
            }
            if enough.is_some_and(|enough| referrers.len() >= enough) {
                return Ok(Some(referrers));
            }
        }
    }
}

/// Whether a content type says that it is a list of referrers.
fn is_list(content_type: &str) -> bool {
    let named = content_type.split(';').next().unwrap_or_default();
    named.trim().eq_ignore_ascii_case(media_type::INDEX)
}
