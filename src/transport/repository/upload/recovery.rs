//! What a failure leads to: the same again, shorter parts, a new session, or the end.

use super::blob::Upload;
use super::habits::COMMON_LIMIT;
use crate::ErrorKind;
use crate::oci::registry_error::ErrorCode;
use crate::transport::TransportError;

impl Upload<'_> {
    /// Makes ready for another try after a failure, or gives the error back.
    pub(super) async fn recover(&mut self, error: TransportError) -> Result<(), TransportError> {
        let Some(sent) = self.sending.clone() else {
            return self.attempts.pause(error).await;
        };
        let is_chunk = sent.end < self.blob.size;
        let length = sent.end - sent.start;
        let lost = ErrorCode::BlobUploadUnknown;
        let is_lost = error.rejection().is_some_and(|said| said.has_code(&lost));
        match error.status() {
            Some(413) => self.shorten(length, error).await,
            Some(416) if is_chunk && length > COMMON_LIMIT => {
                self.shorten(COMMON_LIMIT + 1, error).await
            }
            // Chunks are not known here, and the whole was too long.
            Some(404 | 405 | 501) if is_chunk && sent.start == 0 && !is_lost => {
                Err(self.limited(error))
            }
            _ if error.kind().is_transient() => {
                self.hesitates = matches!(error, TransportError::Connection { .. });
                self.attempts.pause(error).await
            }
            _ if self.begins_anew(&error, sent.start > 0) => self.attempts.pause_after(error).await,
            _ => Err(error),
        }
    }

    /// Begins anew with shorter parts, if there are any that can be accepted.
    async fn shorten(&mut self, refused: u64, error: TransportError) -> Result<(), TransportError> {
        let Some(session) = self.session.take() else {
            return Err(error);
        };
        let habits = &self.repository.session.shared.habits;
        habits.refuses(&session.place, refused);
        let next = habits.longest_part(&session.place, self.blob.size, session.minimum);
        if next.is_none() {
            self.session = Some(session);
            return Err(self.limited(error));
        }
        self.sending = None;
        tracing::debug!("sending shorter parts: {error}");
        self.repository.cancel_session(session).await;
        Ok(())
    }

    /// The refusal of a body for which there is no shorter one.
    fn limited(&self, cause: TransportError) -> TransportError {
        let place = self.session.as_ref().map(|session| &session.place);
        let habits = &self.repository.session.shared.habits;
        match place.and_then(|place| habits.refused(place)) {
            Some(limit) => TransportError::BodyLimit {
                blob: self.blob.digest,
                limit,
                cause: Box::new(cause),
            },
            None => cause,
        }
    }

    /// Whether the registry has lost the session, or the parts of which it was to put the blob
    /// together are not what it takes for them. At an offset that it does not accept it is asked
    /// once more, since what a broken connection had left may have arrived meanwhile; after that, and
    /// if the digest is another, nothing of this blob is resumed any more.
    fn begins_anew(&mut self, error: &TransportError, in_parts: bool) -> bool {
        let is_mismatch = error.kind() == ErrorKind::Mismatch;
        match error {
            TransportError::Rejected { .. } | TransportError::Content { .. } => {}
            _ => return false,
        }
        match error.status() {
            Some(401..=403) => return false,
            Some(404 | 410) => self.session = None,
            Some(416) => {}
            _ if !in_parts => return false,
            _ => {}
        }
        self.is_doubted |= in_parts && (is_mismatch || self.was_refused);
        self.was_refused = true;
        true
    }
}
