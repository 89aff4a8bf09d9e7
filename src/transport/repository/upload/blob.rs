//! One blob on its way up, from the first request to the last try.

use std::ops::Range;

use reqwest::Method;

use super::session::Session;
use crate::oci::Descriptor;
use crate::store::BlobSource;
use crate::transport::TransportError;
use crate::transport::repository::handle::Repository;
use crate::transport::retry::Attempts;
use crate::transport::unfinished::{Claim, Record};

/// After so many new bytes a connection counts as having worked, and the budget of tries as new.
const PROGRESS: u64 = 1024 * 1024;

/// The smallest blob that is remembered when it is unfinished: a smaller one is as long as a chunk.
const REMEMBERED: u64 = 16 * 1024 * 1024;

impl Repository {
    /// Pushes a blob, again and again while that can help.
    pub(in crate::transport::repository) async fn push_blob(
        &self,
        blob: &Descriptor,
        content: &dyn BlobSource,
    ) -> Result<(), TransportError> {
        let claim = match blob.size {
            REMEMBERED.. => {
                let unfinished = &self.session.shared.unfinished;
                let registry = &self.session.host.origin;
                unfinished.claim(registry, self.name(), blob).await
            }
            _ => None,
        };
        let upload = Upload {
            repository: self,
            blob,
            content,
            session: claim.as_ref().and_then(Claim::found).map(of_record),
            is_left: true,
            hesitates: false,
            is_all_sent: false,
            claim,
            is_doubted: false,
            was_refused: false,
            furthest: 0,
            sending: None,
            attempts: self.session.attempts(),
        };
        upload.run().await
    }
}

/// The session that an earlier process left.
fn of_record(record: &Record) -> Session {
    Session {
        place: record.location.clone(),
        offset: record.offset,
        minimum: record.minimum,
        is_confirmed: false,
    }
}

pub(super) struct Upload<'a> {
    pub(super) repository: &'a Repository,
    pub(super) blob: &'a Descriptor,
    pub(super) content: &'a dyn BlobSource,
    /// The session that was used last; how far it is by now must be asked.
    pub(super) session: Option<Session>,
    /// Whether the session is the one that an earlier process left, if there is any.
    is_left: bool,
    /// Whether the content is held back for a moment, after a break that the registry got nothing
    /// before: it may have refused the request at once, and the answer was lost with the connection.
    pub(super) hesitates: bool,
    /// Whether the last part was sent, so that only the answer may be missing.
    is_all_sent: bool,
    pub(super) claim: Option<Claim>,
    /// Whether the parts that were sent turned out not to be the blob: from then on nothing is
    /// resumed.
    pub(super) is_doubted: bool,
    /// The furthest offset that the registry had in any session.
    furthest: u64,
    /// Whether a part was refused at an offset that the registry itself had said.
    pub(super) was_refused: bool,
    /// The part that is being sent.
    pub(super) sending: Option<Range<u64>>,
    pub(super) attempts: Attempts,
}

impl Upload<'_> {
    async fn run(mut self) -> Result<(), TransportError> {
        while let Err(error) = self.advance().await {
            self.recover(error).await?;
        }
        if let Some(claim) = self.claim {
            claim.finish().await;
        }
        Ok(())
    }

    /// Sends part after part to the end.
    async fn advance(&mut self) -> Result<(), TransportError> {
        let Some(mut session) = self.settle().await? else {
            return Ok(());
        };
        loop {
            self.session = Some(session.clone());
            let left = self.blob.size - session.offset;
            let habits = &self.repository.session.shared.habits;
            let part = habits.longest_part(&session.place, self.blob.size, session.minimum);
            let length = part.unwrap_or(left).min(left);
            self.sending = Some(session.offset..session.offset + length);
            if length == left {
                self.is_all_sent = true;
                return self.put(session).await;
            }
            session.place = self.patch(&session, length).await?;
            session.offset += length;
            self.advanced_to(session.offset);
            self.note(&session).await;
        }
    }

    /// The session to go on with, and how far it is; nothing if the registry has the blob, and only
    /// its answer was lost.
    async fn settle(&mut self) -> Result<Option<Session>, TransportError> {
        self.sending = None;
        let mut found = None;
        if let Some(session) = self.session.as_ref().filter(|_| !self.is_doubted) {
            let (repository, size) = (self.repository, self.blob.size);
            found = match self.is_left {
                true => repository.ask_left_session(session, size).await?,
                false => repository.ask_session(session, size).await?,
            };
            let gained = found
                .as_ref()
                .map_or(0, |found| found.offset - session.offset);
            self.hesitates &= gained == 0;
            if found.is_none() && self.is_all_sent && self.is_there().await {
                return Ok(None);
            }
        }
        let session = match found {
            Some(session) => session,
            None => self.repository.open_session(&self.blob.digest).await?,
        };
        self.is_left = false;
        self.is_all_sent = false;
        self.advanced_to(session.offset);
        self.note(&session).await;
        Ok(Some(session))
    }

    async fn is_there(&self) -> bool {
        let head = self
            .repository
            .blob_request(Method::HEAD, &self.blob.digest);
        self.repository.session.attempt(&head).await.is_ok()
    }

    fn advanced_to(&mut self, offset: u64) {
        if offset >= self.furthest + PROGRESS {
            self.furthest = offset;
            self.attempts.renew();
        }
    }

    async fn note(&self, session: &Session) {
        if let Some(claim) = &self.claim {
            let record = Record {
                location: session.place.clone(),
                offset: session.offset,
                minimum: session.minimum,
            };
            claim.keep(&record).await;
        }
    }
}
