//! Fetches a blob, or a part of it, as a stream that survives a broken connection: what is missing
//! is asked for again from where it broke off.
//!
//! The reader around this checks length and digest; here it is made sure that the bytes are those
//! at the offset that was asked for, and that no page of a proxy is taken for a blob.

use std::io;
use std::ops::Range;

use bytes::{Buf, Bytes};
use futures_util::stream;
use reqwest::header::{CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Method, StatusCode};
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::handle::Repository;
use crate::oci::{Descriptor, Digest};
use crate::store::read_error;
use crate::transport::TransportError;
use crate::transport::error::{ContentFault, ProtocolFault};
use crate::transport::http::Answer;
use crate::transport::retry::Attempts;

/// After so many bytes a connection counts as having worked, and the budget of tries as new.
const PROGRESS: u64 = 1024 * 1024;

impl Repository {
    /// The content of a part of a blob. The first answer is awaited, so that a missing blob is an
    /// error here and not one of the reader.
    pub(super) async fn blob_content(
        &self,
        blob: &Descriptor,
        range: Range<u64>,
    ) -> Result<impl AsyncRead + Send + Unpin + use<>, TransportError> {
        let mut download = Download {
            repository: self.clone(),
            digest: blob.digest,
            size: blob.size,
            missing: range,
            skip: 0,
            answer: None,
            progress: 0,
            attempts: self.session.attempts(),
        };
        download.connect().await?;
        let pieces = stream::try_unfold(download, |mut download| async move {
            let piece = download.piece().await.map_err(read_error)?;
            Ok::<_, io::Error>(piece.map(|piece| (piece, download)))
        });
        Ok(StreamReader::new(Box::pin(pieces)))
    }
}

/// A part of a blob on its way.
struct Download {
    repository: Repository,
    digest: Digest,
    size: u64,
    missing: Range<u64>,
    /// How many bytes come before those that are missing.
    skip: u64,
    answer: Option<Answer>,
    /// Bytes since the last failure.
    progress: u64,
    attempts: Attempts,
}

impl Download {
    /// The next piece; nothing at the end. Bytes after the end of the blob are handed on, so that
    /// the reader finds them; those after a part of it are not.
    async fn piece(&mut self) -> Result<Option<Bytes>, TransportError> {
        loop {
            let is_over = self.missing.is_empty();
            if is_over && (self.answer.is_none() || self.missing.end < self.size) {
                return Ok(None);
            }
            let answer = match &mut self.answer {
                Some(answer) => answer,
                None => self.connect().await?,
            };
            match answer.piece().await {
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
        let skipped = self.skip.min(piece.len() as u64);
        piece.advance(skipped as usize);
        self.skip -= skipped;
        if self.missing.end < self.size {
            let left = self.missing.end - self.missing.start;
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        self.missing.start += piece.len() as u64;
        self.progress += piece.len() as u64;
        (!piece.is_empty()).then_some(piece)
    }

    async fn failed(&mut self, error: TransportError) -> Result<(), TransportError> {
        self.answer = None;
        if self.progress >= PROGRESS {
            self.attempts.renew();
        }
        self.progress = 0;
        self.attempts.pause(error).await
    }

    /// Asks for what is missing until it comes.
    async fn connect(&mut self) -> Result<&mut Answer, TransportError> {
        loop {
            match self.ask().await {
                Ok((answer, skip)) => {
                    self.skip = skip;
                    return Ok(self.answer.insert(answer));
                }
                Err(error) => self.failed(error).await?,
            }
        }
    }

    /// Asks for what is missing; says how many bytes will come before it.
    async fn ask(&self) -> Result<(Answer, u64), TransportError> {
        let is_whole = self.missing == (0..self.size);
        let mut request = self.repository.blob_request(Method::GET, &self.digest);
        if !is_whole {
            // Both ends are inclusive (RFC 9110, section 14.1.2).
            let text = format!("bytes={}-{}", self.missing.start, self.missing.end - 1);
            request = request.header(RANGE, HeaderValue::try_from(text).expect("digits"));
        }
        let answer = self.repository.session.attempt(&request).await?;
        answer.require_identity()?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT if !is_whole => {
                self.check_range(&answer)?;
                Ok((answer, 0))
            }
            // The range was ignored: all of it comes, and what is before is thrown away.
            StatusCode::OK => {
                check_length(&answer, self.size)?;
                if !is_whole {
                    self.repository.session.host.ignored_a_range();
                }
                Ok((answer, self.missing.start))
            }
            _ => Err(answer.into_rejection().await),
        }
    }

    fn check_range(&self, answer: &Answer) -> Result<(), TransportError> {
        let (first, last) = (self.missing.start, self.missing.end - 1);
        let expected = format!("bytes {first}-{last}/{}", self.size);
        let of_unknown = format!("bytes {first}-{last}/*");
        let values: Vec<_> = answer.headers().get_all(CONTENT_RANGE).iter().collect();
        if let [value] = values[..]
            && (*value == *expected || *value == *of_unknown)
        {
            return check_length(answer, self.missing.end - self.missing.start);
        }
        let texts = values
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let actual = texts
            .collect::<Vec<_>>()
            .join(", ")
            .chars()
            .take(120)
            .collect();
        Err(answer.protocol(ProtocolFault::Range { expected, actual }))
    }
}

fn check_length(answer: &Answer, expected: u64) -> Result<(), TransportError> {
    match answer.length() {
        Some(actual) if actual != expected => {
            Err(answer.content(ContentFault::Size { expected, actual }))
        }
        _ => Ok(()),
    }
}
