//! A range of a blob over one connection at a time, and over the next one when it breaks: what is
//! missing is asked for again from where it broke off.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::time::Instant;

use super::supply::Supply;
use crate::transport::TransportError;
use crate::transport::error::ConnectionFault;
use crate::transport::http::{Answer, Lane};
use crate::transport::retry::Attempts;

/// After so many bytes a connection counts as having worked, and the budget of tries as new.
const PROGRESS: u64 = 1024 * 1024;

/// A range of a blob on its way.
pub(super) struct Stream {
    supply: Arc<Supply>,
    lane: Lane,
    missing: Range<u64>,
    /// Whether the range is one of many parts: then the whole blob is no answer.
    is_part: bool,
    /// How many bytes come before those that are missing.
    skip: u64,
    answer: Option<Answer>,
    /// Bytes since the last failure.
    progress: u64,
    attempts: Attempts,
    waited: Duration,
}

impl Stream {
    /// A range that is asked for as a whole, which may be the whole blob.
    pub(super) fn new(supply: &Arc<Supply>, lane: Lane, range: Range<u64>) -> Self {
        Self {
            attempts: supply.repository().session.attempts(),
            supply: Arc::clone(supply),
            lane,
            missing: range,
            is_part: false,
            skip: 0,
            answer: None,
            progress: 0,
            waited: Duration::ZERO,
        }
    }

    /// One of many parts.
    pub(super) fn part(supply: &Arc<Supply>, lane: Lane, range: Range<u64>) -> Self {
        Self {
            is_part: true,
            ..Self::new(supply, lane, range)
        }
    }

    /// Where the next byte is in the blob.
    pub(super) fn position(&self) -> u64 {
        self.missing.start
    }

    /// How long was waited for what has come.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    /// How long an answer takes to begin.
    pub(super) fn latency(&self) -> Duration {
        self.lane.latency()
    }

    /// The next piece; nothing at the end. Bytes after the end of the blob are handed on, so that
    /// the reader finds them; those after a part of it are not.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, TransportError> {
        loop {
            let is_over = self.missing.is_empty();
            if is_over && (self.answer.is_none() || self.missing.end < self.supply.size) {
                return Ok(None);
            }
            let Some(answer) = &mut self.answer else {
                self.connect().await?;
                continue;
            };
            let asked = Instant::now();
            let piece = answer.piece().await;
            self.waited += asked.elapsed();
            match piece {
                Ok(Some(piece)) => {
                    if let Some(wanted) = self.take(piece) {
                        return Ok(Some(wanted));
                    }
                }
                Ok(None) => return Ok(None),
                Err(error) => self.failed(error).await?,
            }
        }
    }

    /// What of a piece is wanted.
    fn take(&mut self, mut piece: Bytes) -> Option<Bytes> {
        self.lane.moved(piece.len() as u64);
        let skipped = self.skip.min(piece.len() as u64);
        piece.advance(skipped as usize);
        self.skip -= skipped;
        if self.missing.end < self.supply.size {
            let left = self.missing.end - self.missing.start;
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        self.missing.start += piece.len() as u64;
        self.progress += piece.len() as u64;
        (!piece.is_empty()).then_some(piece)
    }

    /// Asks for what is missing until it comes; nothing to do if it is coming.
    pub(super) async fn connect(&mut self) -> Result<(), TransportError> {
        while self.answer.is_none() {
            let asked = Instant::now();
            let arriving = match self.is_part {
                true => self.supply.ask_part(&self.missing).await,
                false => self.supply.ask(&self.missing).await,
            };
            match arriving {
                Ok(arriving) => {
                    self.lane.answered(asked.elapsed());
                    self.skip = arriving.skip;
                    self.answer = Some(arriving.answer);
                }
                Err(error) => self.failed(error).await?,
            }
        }
        Ok(())
    }

    async fn failed(&mut self, error: TransportError) -> Result<(), TransportError> {
        self.answer = None;
        if self.progress >= PROGRESS {
            self.attempts.renew();
        }
        self.progress = 0;
        if self.is_part && is_too_much(&error) {
            self.lane.is_too_much();
        }
        self.attempts.pause(error).await
    }
}

/// Whether a registry may be failing because it is asked for too much at a time.
fn is_too_much(error: &TransportError) -> bool {
    match error {
        TransportError::Connection { fault, .. } => matches!(fault, ConnectionFault::Connect(_)),
        _ => matches!(error.status(), Some(429 | 503)),
    }
}
