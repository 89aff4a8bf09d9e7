//! An answer: head, and a body that is only ever read to a limit.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use tokio::time::Instant;
use url::Url;

use super::fault;
use crate::transport::TransportError;
use crate::transport::error::{ConnectionFault, ContentFault, Distrust, ProtocolFault};
use crate::transport::failure::{Effort, Rejection, RequestLine, cleaned, is_page};
use crate::transport::options::Timeouts;

/// The longest error document that is read; the rest is not for people.
const MAX_ERROR_SIZE: usize = 8 * 1024;

/// How long a document may take, however steadily it drips.
const DOCUMENT_TIME: Duration = Duration::from_secs(300);

/// How long the rest of an answer that nobody wants may take: reading it keeps the connection.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// What a server answered.
pub(crate) struct Answer {
    request: RequestLine,
    url: Url,
    response: reqwest::Response,
    timeouts: Timeouts,
    flow: Flow,
}

/// What came of a body while it was waited for.
#[derive(Default)]
struct Flow {
    bytes: u64,
    waited: Duration,
}

impl Answer {
    pub(crate) fn new(
        request: RequestLine,
        url: &Url,
        response: reqwest::Response,
        timeouts: Timeouts,
    ) -> Self {
        Self {
            request,
            url: url.clone(),
            response,
            timeouts,
            flow: Flow::default(),
        }
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// A header, if it is there and readable.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    }

    /// The URL that answered, after all redirects.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The announced length of the body in bytes.
    pub(crate) fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The next piece of the body; nothing at its end.
    pub(crate) async fn piece(&mut self) -> Result<Option<Bytes>, TransportError> {
        let (stall, asked) = (self.timeouts.stall, Instant::now());
        let Ok(piece) = tokio::time::timeout(stall, self.response.chunk()).await else {
            return Err(self.broken(ConnectionFault::Stalled(stall)));
        };
        let piece = piece.map_err(|error| self.broken(fault::of(&error)))?;
        if let Some(piece) = &piece {
            self.flow.bytes += piece.len() as u64;
            self.flow.waited += asked.elapsed();
            if self.flow.waited >= stall {
                let Flow { bytes, waited } = std::mem::take(&mut self.flow);
                if bytes < self.timeouts.trickle {
                    let within = waited;
                    return Err(self.broken(ConnectionFault::Trickled { bytes, within }));
                }
            }
        }
        Ok(piece)
    }

    /// Reads the body, unless it is longer than a limit in bytes or comes too slowly.
    pub(crate) async fn read(
        &mut self,
        what: &'static str,
        limit: u64,
    ) -> Result<Vec<u8>, TransportError> {
        self.require_identity()?;
        let too_large = ProtocolFault::TooLarge { what, limit };
        if self.length().is_some_and(|length| length > limit) {
            return Err(self.protocol(too_large));
        }
        let deadline = Instant::now() + DOCUMENT_TIME;
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            if (body.len() + piece.len()) as u64 > limit {
                return Err(self.protocol(too_large));
            }
            if Instant::now() > deadline {
                return Err(self.broken(ConnectionFault::Slow(DOCUMENT_TIME)));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Refuses a body that is not the bytes themselves. We asked for them with `Accept-Encoding`.
    pub(crate) fn require_identity(&self) -> Result<(), TransportError> {
        match self.header(CONTENT_ENCODING.as_str()) {
            None | Some("" | "identity") => Ok(()),
            Some(encoding) => Err(self.protocol(ProtocolFault::Encoding(cleaned(encoding)))),
        }
    }

    /// Refuses a page for a browser, unless it is as long as what was asked for: a blob can be one.
    pub(crate) fn require_no_page(
        &self,
        expected: &str,
        length: Option<u64>,
    ) -> Result<(), TransportError> {
        if !is_page(self.headers()) || (length.is_some() && self.length() == length) {
            return Ok(());
        }
        let expected = expected.to_owned();
        Err(self.protocol(ProtocolFault::Page { expected }))
    }

    /// Reads what is left of a short body, so that the connection can be used again.
    pub(crate) async fn drain(mut self) {
        if self
            .length()
            .is_none_or(|length| length > MAX_ERROR_SIZE as u64)
        {
            return;
        }
        let all = async { while let Ok(Some(_)) = self.response.chunk().await {} };
        // If it takes longer the connection is given up, and nothing else.
        let _ = tokio::time::timeout(DRAIN_TIME, all).await;
    }

    /// The answer as an error: its status, and the start of what it says.
    pub(crate) async fn into_rejection(mut self) -> TransportError {
        let mut body = Vec::new();
        let start = async {
            while body.len() < MAX_ERROR_SIZE
                && let Ok(Some(piece)) = self.response.chunk().await
            {
                body.extend_from_slice(&piece);
            }
        };
        // What does not come is not worth another error: the status is what failed.
        let _ = tokio::time::timeout(DRAIN_TIME, start).await;
        body.truncate(MAX_ERROR_SIZE);
        let rejection = Rejection::read(self.status().as_u16(), self.headers(), &body);
        TransportError::Rejected {
            request: self.request,
            rejection: Box::new(rejection),
            effort: Effort::default(),
        }
    }

    /// The connection failed while the body was read.
    pub(crate) fn broken(&self, fault: ConnectionFault) -> TransportError {
        TransportError::Connection {
            request: self.request.clone(),
            fault,
            effort: Effort::default(),
        }
    }

    /// The server broke a rule.
    pub(crate) fn protocol(&self, fault: ProtocolFault) -> TransportError {
        TransportError::Protocol {
            request: self.request.clone(),
            fault,
        }
    }

    /// The server sent a header that cannot be read.
    pub(crate) fn invalid_header(&self, name: &'static str, value: &HeaderValue) -> TransportError {
        let text = String::from_utf8_lossy(value.as_bytes());
        let value = cleaned(&text).chars().take(120).collect();
        self.protocol(ProtocolFault::Header { name, value })
    }

    /// The server sent a body that is not the document that it must be.
    pub(crate) fn malformed(
        &self,
        what: &'static str,
        reason: &dyn std::fmt::Display,
    ) -> TransportError {
        let reason = cleaned(&reason.to_string());
        self.protocol(ProtocolFault::Malformed { what, reason })
    }

    /// The server sends us where we do not go.
    pub(crate) fn distrusted(&self, reason: Distrust) -> TransportError {
        TransportError::Distrusted {
            request: self.request.clone(),
            reason,
        }
    }

    /// The server sent something else than it was asked for.
    pub(crate) fn content(&self, fault: ContentFault) -> TransportError {
        TransportError::Content {
            request: self.request.clone(),
            fault,
        }
    }

    /// The server sent a document that is refused.
    pub(crate) fn document(&self, cause: crate::oci::OciError) -> TransportError {
        TransportError::Document {
            request: self.request.clone(),
            cause,
        }
    }
}
