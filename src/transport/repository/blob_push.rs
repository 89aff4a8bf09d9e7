//! Pushes a blob: POST for an upload session, then one PUT with the whole content (distribution-
//! spec, "Pushing a blob monolithically"). Where a body of that size is not accepted, the content
//! goes in chunks.
//!
//! The registry checks the digest. A broken upload is begun again with a new session: what an
//! abandoned session holds is not known.

use reqwest::Method;
use reqwest::header::{CONTENT_RANGE, HeaderValue};
use url::Url;

use super::handle::{Access, Repository};
use crate::oci::Descriptor;
use crate::store::BlobSource;
use crate::transport::TransportError;
use crate::transport::http::{Answer, Body, Part, Request, location};

/// The first chunk length after a body was too large, and the least that is tried: proxies allow
/// 1 MiB unless they are told otherwise.
const CHUNK: std::ops::RangeInclusive<u64> = 512 * 1024..=16 * 1024 * 1024;

impl Repository {
    /// Pushes a blob, again and again while that can help.
    pub(super) async fn push_blob(
        &self,
        blob: &Descriptor,
        content: &dyn BlobSource,
    ) -> Result<(), TransportError> {
        let mut attempts = self.session.attempts();
        let mut chunk = None;
        loop {
            let error = match self.upload(blob, content, chunk).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let was_too_large = error.status() == Some(413);
            match smaller(chunk, blob.size).filter(|_| was_too_large) {
                Some(length) => chunk = Some(length),
                None => attempts.pause(error).await?,
            }
        }
    }

    async fn upload(
        &self,
        blob: &Descriptor,
        content: &dyn BlobSource,
        chunk: Option<u64>,
    ) -> Result<(), TransportError> {
        let request = self.request(Method::POST, "blobs/uploads/", Access::Push);
        let session = self.session.attempt(&request).await?;
        let mut place = self.upload_location(&session)?;
        let minimum = session.header("oci-chunk-min-length");
        let minimum = minimum.and_then(|text| text.parse().ok()).unwrap_or(0);
        session.drain().await;
        let part = |range| Part {
            blob,
            content,
            range,
        };
        let mut start = 0;
        if let Some(chunk) = chunk {
            let chunk = chunk.max(minimum);
            while blob.size - start > chunk {
                place = self.patch(place, part(start..start + chunk)).await?;
                start += chunk;
            }
        }
        let digest = blob.digest.to_string();
        place.query_pairs_mut().append_pair("digest", &digest);
        let request = self.upload_request(Method::PUT, place, part(start..blob.size));
        self.session.attempt(&request).await?.drain().await;
        Ok(())
    }

    /// Sends a chunk; gives the place for the next one, which may be another.
    async fn patch(&self, place: Url, part: Part<'_>) -> Result<Url, TransportError> {
        let request = self.upload_request(Method::PATCH, place, part);
        let answer = self.session.attempt(&request).await?;
        let next = self.upload_location(&answer)?;
        answer.drain().await;
        Ok(next)
    }

    /// Where an answer wants the content to be sent: not always to the registry itself, and then
    /// without anything that belongs to it.
    pub(super) fn upload_location(&self, answer: &Answer) -> Result<Url, TransportError> {
        location(answer, &self.session.host.origin)
    }

    fn upload_request<'a>(&self, method: Method, place: Url, part: Part<'a>) -> Request<'a> {
        let mut request = self.request(method, "", Access::Push);
        request.url = place;
        // Both ends are inclusive, and there is no unit. A blob in one piece must not say it.
        if part.range != (0..part.blob.size) {
            let text = format!("{}-{}", part.range.start, part.range.end - 1);
            let range = HeaderValue::try_from(text).expect("digits");
            request = request.header(CONTENT_RANGE, range);
        }
        let content_type = HeaderValue::from_static("application/octet-stream");
        request.content(content_type, Body::Part(part))
    }
}

/// The next smaller chunk length, if there is one that can help.
fn smaller(chunk: Option<u64>, size: u64) -> Option<u64> {
    let next = match chunk {
        None => *CHUNK.end(),
        Some(length) => length / 2,
    };
    let next = next.min(size / 2);
    (next >= *CHUNK.start()).then_some(next)
}
