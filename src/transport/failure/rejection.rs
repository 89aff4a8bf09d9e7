//! An answer that is not the one that was asked for.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::asked::Asked;
use super::meaning::{self, Meaning};
use super::words::{cleaned, is_page, missing_blob_of, text_of_document, text_of_entry};
use crate::ErrorKind;
use crate::oci::Digest;
use crate::oci::registry_error::{ErrorCode, ErrorEnvelope};

/// The longest wait that a server can ask for, so that the date when it ends can be told.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// An answer that is not the one that was asked for.
#[derive(Debug)]
pub struct Rejection {
    status: u16,
    codes: Vec<ErrorCode>,
    missing_blob: Option<Digest>,
    message: Option<String>,
    /// When, by our own clock.
    answered: SystemTime,
    retry_after: Option<Duration>,
    asked: Option<Asked>,
}

impl Rejection {
    /// Reads what the server says from the head of its answer and the start of its body.
    pub(crate) fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut codes = Vec::new();
        let mut missing_blob = None;
        let message = match serde_json::from_slice::<ErrorEnvelope>(body) {
            Ok(envelope) => {
                let texts: Vec<_> = envelope.errors.iter().map(text_of_entry).collect();
                missing_blob = envelope.errors.iter().find_map(missing_blob_of);
                codes.extend(envelope.errors.into_iter().map(|entry| entry.code));
                Some(texts.join("; "))
            }
            Err(_) if is_page(headers) => Some("a web page, not a registry's answer".to_owned()),
            Err(_) => match serde_json::from_slice(body) {
                Ok(document) => text_of_document(&document),
                Err(_) => Some(String::from_utf8_lossy(body).into_owned()),
            },
        };
        Self {
            status,
            codes,
            missing_blob,
            message: message
                .map(|text| cleaned(&text))
                .filter(|text| !text.is_empty()),
            answered: SystemTime::now(),
            retry_after: retry_after(headers),
            asked: None,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the server gave this code of the distribution specification.
    pub fn has_code(&self, code: &ErrorCode) -> bool {
        self.codes.contains(code)
    }

    /// The blob that the server says it does not have, if it names one.
    pub(crate) fn missing_blob(&self) -> Option<Digest> {
        self.missing_blob
    }

    /// How long the server asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the server's message has one of some words, in lower case.
    pub(super) fn says(&self, words: &[&str]) -> bool {
        let message = self.message.as_deref().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        words.iter().any(|word| message.contains(word))
    }

    /// The same answer, to a request of which it is known what it was about.
    pub(crate) fn to(mut self, asked: Asked) -> Self {
        self.asked = Some(asked);
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.meaning().kind
    }

    /// What to do next, where the kind alone does not tell.
    pub fn remedy(&self) -> Option<&'static str> {
        self.meaning().remedy
    }

    fn meaning(&self) -> Meaning {
        meaning::of(self, self.asked.as_ref())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.meaning().sentence, self.status)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(wait) = self.retry_after {
            let until = httpdate::fmt_http_date(self.answered + wait);
            write!(f, "; retry after {until}")?;
        }
        Ok(())
    }
}

/// `Retry-After` in either form (RFC 9110, section 10.2.3). A date counts from the server's own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    asked_wait(text(RETRY_AFTER)?, text(DATE))
}

pub(crate) fn asked_wait(wait: &str, date: Option<&str>) -> Option<Duration> {
    let wait = wait.trim();
    if let Ok(seconds) = wait.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
    }
    let until = httpdate::parse_http_date(wait).ok()?;
    let now = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let now = now.unwrap_or_else(SystemTime::now);
    let wait = until.duration_since(now).unwrap_or_default();
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
