//! A blob on its way: over one connection, and in parts where that is slow.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::pace::Pace;
use super::parts::Parts;
use super::stream::Stream;
use super::supply::{Supply, is_no_range};
use crate::oci::Descriptor;
use crate::store::read_error;
use crate::transport::TransportError;
use crate::transport::http::Lanes;
use crate::transport::repository::handle::Repository;

/// How far ahead the first part begins at most, so that its answer is there in time.
const MAX_LEAD: u64 = 8 * 1024 * 1024;
/// So often the first part may come too late.
const MAX_TRIALS: u32 = 3;

impl Repository {
    /// The content of a part of a blob. The first answer is awaited, so that a missing blob is an
    /// error here and not one of the reader.
    pub(in crate::transport::repository) async fn blob_content(
        &self,
        blob: &Descriptor,
        range: Range<u64>,
    ) -> Result<impl AsyncRead + Send + Unpin + use<>, TransportError> {
        let supply = Arc::new(Supply::new(self.clone(), blob.digest, blob.size));
        let lanes = self.session.lanes();
        let mut stream = Stream::new(&supply, lanes.first(), range.clone());
        stream.connect().await?;
        let download = Download {
            stream: Some(stream),
            parts: None,
            pace: Pace::new(lanes.options.slow, lanes.options.measure),
            trials: 0,
            end: range.end,
            supply,
            lanes,
        };
        let pieces = stream::try_unfold(download, |mut download| async move {
            let piece = download.piece().await.map_err(read_error)?;
            Ok::<_, io::Error>(piece.map(|piece| (piece, download)))
        });
        Ok(StreamReader::new(Box::pin(pieces)))
    }
}

struct Download {
    supply: Arc<Supply>,
    lanes: Arc<Lanes>,
    /// The one connection, until parts have taken over.
    stream: Option<Stream>,
    /// The parts, from where the one connection will stop.
    parts: Option<Parts>,
    pace: Pace,
    /// How often parts were tried.
    trials: u32,
    end: u64,
}

impl Download {
    /// The next piece; nothing at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, TransportError> {
        loop {
            if self.stream.is_some() {
                return self.single().await;
            }
            let Some(parts) = &mut self.parts else {
                return Ok(None);
            };
            match parts.piece().await {
                Ok(Some(piece)) => return Ok(Some(piece)),
                Ok(None) if parts.position() >= self.end => return Ok(None),
                Ok(None) => self.go_on_alone(),
                Err(error) if is_no_range(&error) => {
                    tracing::debug!("going on over one connection: {error}");
                    self.trials = MAX_TRIALS;
                    self.go_on_alone();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The next piece from the one connection.
    async fn single(&mut self) -> Result<Option<Bytes>, TransportError> {
        let Some(stream) = &mut self.stream else {
            return Ok(None);
        };
        let before = stream.waited();
        let Some(mut piece) = stream.piece().await? else {
            return Ok(None);
        };
        let waited = stream.waited() - before;
        let position = stream.position();
        let Some(parts) = &mut self.parts else {
            self.consider(piece.len() as u64, waited);
            return Ok(Some(piece));
        };
        parts.fill();
        if position >= parts.start() {
            if self.supply.gave_range() {
                let beyond = position - parts.start();
                piece.truncate(piece.len().saturating_sub(beyond as usize));
                self.stream = None;
            } else {
                // The first part did not come in time, or not as a part.
                self.parts = None;
            }
        }
        Ok(Some(piece))
    }

    /// Begins with parts where the one connection is slow and much is left.
    fn consider(&mut self, bytes: u64, waited: Duration) {
        let Some(stream) = &self.stream else { return };
        let options = &self.lanes.options;
        let position = stream.position();
        let is_worth = self.end - position.min(self.end) >= options.least;
        let is_possible = self.supply.repository().session.host.honours_ranges();
        if !is_worth || !is_possible || self.trials >= MAX_TRIALS {
            return;
        }
        let slow = self.pace.add(bytes, waited, stream.latency());
        if let Some(rate) = slow {
            self.lanes.widen(rate);
        }
        if !self.lanes.are_many() {
            return;
        }
        let wait = stream.latency().as_secs_f64() * 3.0;
        let lead = (slow.unwrap_or_default() * wait) as u64;
        let start = position + lead.clamp(options.part, MAX_LEAD.max(options.part));
        if start < self.end {
            self.trials += 1;
            let mut parts = Parts::new(&self.supply, &self.lanes, start..self.end);
            parts.fill();
            self.parts = Some(parts);
        }
    }

    /// Fetches what the parts leave over one connection.
    fn go_on_alone(&mut self) {
        let Some(parts) = self.parts.take() else {
            return;
        };
        let missing = parts.position()..self.end;
        self.stream = Some(Stream::new(&self.supply, self.lanes.first(), missing));
    }
}
