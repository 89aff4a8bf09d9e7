//! The two requests that carry content.

use std::ops::Range;

use reqwest::header::{CONTENT_RANGE, HeaderValue};
use reqwest::{Method, StatusCode};
use url::Url;

use super::blob::Upload;
use super::session::Session;
use crate::oci::Digest;
use crate::transport::TransportError;
use crate::transport::error::{ContentFault, ProtocolFault};
use crate::transport::http::{Answer, Body, Part, Request, location};
use crate::transport::repository::handle::Access;
use crate::transport::repository::manifest::CONTENT_DIGEST;

impl Upload<'_> {
    /// Sends a chunk; gives the place for the next one, which may be another. How far the registry
    /// says it is, is not asked: some say something else, and the digest decides at the end.
    pub(super) async fn patch(
        &self,
        session: &Session,
        length: u64,
    ) -> Result<Url, TransportError> {
        let end = session.offset + length;
        let request = self.part_request(Method::PATCH, session.place.clone(), session.offset..end);
        let answer = self.repository.session.attempt(&request).await?;
        let next = match answer.status() {
            StatusCode::ACCEPTED => location(&answer, &self.repository.session.host.origin)?,
            // Against the specification; then without a place, too.
            _ => location(&answer, &self.repository.session.host.origin)
                .unwrap_or_else(|_| session.place.clone()),
        };
        answer.drain().await;
        Ok(next)
    }

    /// Sends the rest, and makes sure that the registry has the blob.
    pub(super) async fn put(&self, session: Session) -> Result<(), TransportError> {
        let mut place = session.place;
        let digest = self.blob.digest.to_string();
        place.query_pairs_mut().append_pair("digest", &digest);
        let request = self.part_request(Method::PUT, place, session.offset..self.blob.size);
        let answer = self.repository.session.attempt(&request).await?;
        let announced = answer.header(CONTENT_DIGEST);
        let announced = announced.and_then(|text| text.parse::<Digest>().ok());
        match announced {
            Some(actual) if actual.algorithm() == self.blob.digest.algorithm() => {
                let expected = self.blob.digest;
                if actual != expected {
                    return Err(answer.content(ContentFault::Digest { expected, actual }));
                }
            }
            _ if answer.status() == StatusCode::CREATED => {}
            _ => return self.look_after(answer).await,
        }
        answer.drain().await;
        Ok(())
    }

    /// Looks after a blob whose registry neither says that it was created nor what was stored.
    async fn look_after(&self, put: Answer) -> Result<(), TransportError> {
        let head = self
            .repository
            .blob_request(Method::HEAD, &self.blob.digest);
        match self.repository.session.attempt(&head).await {
            Err(error) if error.status() == Some(404) => {
                Err(put.protocol(ProtocolFault::NotStored(put.status().as_u16())))
            }
            // Not to be allowed to look is no sign that something is wrong.
            Err(error) if error.rejection().is_none() => Err(error),
            _ => Ok(()),
        }
    }

    fn part_request(&self, method: Method, place: Url, range: Range<u64>) -> Request<'_> {
        let mut request = self.repository.request(method, "", Access::Push);
        request.url = place;
        // Both ends are inclusive, and there is no unit. A blob in one piece must not say it, and
        // nothing at all cannot.
        if range != (0..self.blob.size) && !range.is_empty() {
            let text = format!("{}-{}", range.start, range.end - 1);
            let range = HeaderValue::try_from(text).expect("digits");
            request = request.header(CONTENT_RANGE, range);
        }
        let content_type = HeaderValue::from_static("application/octet-stream");
        let part = Part {
            blob: self.blob,
            content: self.content,
            range,
            hesitates: self.hesitates,
        };
        request.content(content_type, Body::Part(part))
    }
}
