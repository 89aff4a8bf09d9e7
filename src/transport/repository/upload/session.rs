//! An upload session of a registry: opened, asked how far it is, cancelled.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use reqwest::Method;
use reqwest::header::RANGE;
use url::Url;

use crate::oci::Digest;
use crate::transport::TransportError;
use crate::transport::http::{Answer, Origin, location};
use crate::transport::repository::handle::{Access, Repository};

/// An upload that a registry has open.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Where the next part goes: not always to the registry itself.
    pub(super) place: Url,
    /// How many bytes the registry has, as far as it said.
    pub(super) offset: u64,
    /// The shortest chunk that it takes, but for the last.
    pub(super) minimum: u64,
    /// Whether the registry said that it is a session, and not only a file.
    pub(super) is_confirmed: bool,
}

impl Repository {
    /// Opens a session, unless a mount that was not made opened one.
    pub(super) async fn open_session(&self, digest: &Digest) -> Result<Session, TransportError> {
        if let Some(offered) = self.offered().take(self, digest) {
            return Ok(offered);
        }
        let request = self.request(Method::POST, "blobs/uploads/", Access::Push);
        let answer = self.session.attempt(&request).await?;
        let session = self.opened(&answer)?;
        answer.drain().await;
        Ok(session)
    }

    /// The session that an answer opens.
    pub(in crate::transport::repository) fn opened(
        &self,
        answer: &Answer,
    ) -> Result<Session, TransportError> {
        let minimum = answer.header("oci-chunk-min-length");
        Ok(Session {
            place: location(answer, &self.session.host.origin)?,
            offset: 0,
            minimum: minimum.and_then(|text| text.parse().ok()).unwrap_or(0),
            is_confirmed: true,
        })
    }

    /// Asks how far a session is; nothing if the registry does not know it any more. The session is
    /// given up, too, if the registry says what cannot be: less than it said before (some count from
    /// the last chunk, some never count on), or more than there is.
    pub(super) async fn ask_session(
        &self,
        session: &Session,
        size: u64,
    ) -> Result<Option<Session>, TransportError> {
        let mut request = self.request(Method::GET, "", Access::Push);
        request.url = session.place.clone();
        let answer = match self.session.attempt(&request).await {
            Ok(answer) => answer,
            Err(error) if is_forgotten(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let offset = answer.header(RANGE.as_str()).and_then(offset_after);
        let next = location(&answer, &self.session.host.origin);
        answer.drain().await;
        let possible = session.offset.max(1)..=size;
        let Some(offset) = offset.filter(|offset| possible.contains(offset)) else {
            // What only a file says is not deleted, whatever it is.
            if session.is_confirmed {
                self.cancel_session(session.clone()).await;
            }
            return Ok(None);
        };
        Ok(Some(Session {
            place: next.unwrap_or_else(|_| session.place.clone()),
            offset,
            minimum: session.minimum,
            is_confirmed: true,
        }))
    }

    /// Tells a registry that a session will not be used; that it does not matter is all the same.
    pub(in crate::transport::repository) async fn cancel_session(&self, session: Session) {
        let mut cancel = self.request(Method::DELETE, "", Access::Push);
        cancel.url = session.place;
        if let Ok(answer) = self.session.attempt(&cancel).await {
            answer.drain().await;
        }
    }

    /// Keeps the session that a mount opened instead, for the push that follows.
    pub(in crate::transport::repository) async fn offer(&self, digest: &Digest, session: Session) {
        if let Err(unused) = self.offered().put(self, digest, session) {
            self.cancel_session(*unused).await;
        }
    }

    fn offered(&self) -> &Offered {
        &self.session.shared.offered
    }
}

/// Whether an answer means that there is no such session, or that nobody may ask about it: who may
/// not push at all is told so when a new one is opened.
fn is_forgotten(error: &TransportError) -> bool {
    error.rejection().is_some() && !error.kind().is_transient()
}

/// The offset after `0-<last>`, as `Range` says it; some write a unit before it. `0-0` is also what
/// is said of nothing at all, and one byte is not worth the doubt.
pub(crate) fn offset_after(range: &str) -> Option<u64> {
    let range = range.trim();
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let last: u64 = range.strip_prefix("0-")?.parse().ok()?;
    last.checked_add(1).filter(|offset| *offset > 1)
}

/// More sessions than blobs are in flight.
const MAX_OFFERED: usize = 64;

/// The sessions that registries opened instead of mounting a blob.
#[derive(Debug, Default)]
pub(crate) struct Offered(Mutex<HashMap<(Origin, String, Digest), Session>>);

impl Offered {
    /// Keeps a session; gives back the one that has no place.
    fn put(&self, of: &Repository, digest: &Digest, session: Session) -> Result<(), Box<Session>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(of, digest);
        if kept.len() >= MAX_OFFERED && !kept.contains_key(&key) {
            return Err(Box::new(session));
        }
        kept.insert(key, session)
            .map_or(Ok(()), |old| Err(Box::new(old)))
    }

    fn take(&self, of: &Repository, digest: &Digest) -> Option<Session> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&key(of, digest))
    }
}

fn key(of: &Repository, digest: &Digest) -> (Origin, String, Digest) {
    (
        of.session.host.origin.clone(),
        of.name().to_owned(),
        *digest,
    )
}

#[cfg(test)]
mod tests {
    use super::offset_after;

    #[test]
    fn offset_is_read_in_both_forms_and_nothing_else_is() {
        for (range, offset) in [
            ("0-9", Some(10)),
            (" bytes=0-9 ", Some(10)),
            ("0-0", None),
            ("1-9", None),
            ("bytes 0-9", None),
            ("0--1", None),
            ("0-18446744073709551615", None),
            ("9", None),
            ("", None),
        ] {
            assert_eq!(offset_after(range), offset, "{range}");
        }
    }
}
