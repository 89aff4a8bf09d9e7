//! Mounts a blob from another repository of the same registry (distribution-spec, "Mounting a
//! blob from another repository"): no content is sent.

use reqwest::{Method, StatusCode};

use super::handle::{Access, Repository};
use crate::Result;
use crate::oci::Digest;

impl Repository {
    /// Makes a blob of another repository of this registry appear in this one. `false` if the
    /// registry does not do that, or not with our credentials: the blob must then be pushed.
    pub async fn mount(&self, digest: &Digest, from: &str) -> Result<bool> {
        let from = self.session.host.repository(from);
        let mut request = self.request(Method::POST, "blobs/uploads/", Access::Push);
        request.scopes = request.scopes.and(&format!("repository:{from}:pull"));
        request
            .url
            .query_pairs_mut()
            .append_pair("mount", &digest.to_string())
            .append_pair("from", &from);
        match self.session.send(&request).await {
            Ok(answer) if answer.status() == StatusCode::CREATED => {
                answer.drain().await;
                Ok(true)
            }
            Ok(answer) => {
                // An upload session was opened instead: the push that follows uses it.
                if let Ok(session) = self.opened(&answer) {
                    answer.drain().await;
                    self.offer(digest, session).await;
                }
                Ok(false)
            }
            Err(error) if matches!(error.status(), Some(400..=499)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
