//! What a registry says when it does not do what it was asked: HTTP status and body → kind and
//! sentence. The table is the only place that knows statuses.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use url::Url;

use super::http::ShownUrl;
use crate::ErrorKind;
use crate::oci::Digest;
use crate::oci::registry_error::{ErrorCode, ErrorEntry, ErrorEnvelope};

/// How much of what a server says is shown, in characters.
const MESSAGE_LENGTH: usize = 1024;

/// A request, as messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    method: Method,
    url: ShownUrl,
}

impl RequestLine {
    pub(crate) fn new(method: &Method, url: &Url) -> Self {
        Self {
            method: method.clone(),
            url: url.into(),
        }
    }

    /// Whether a manifest was to be stored.
    pub(crate) fn stores_manifest(&self) -> bool {
        self.method == Method::PUT && self.url.as_str().contains("/manifests/")
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{} {}`", self.method, self.url)
    }
}

/// How often something was tried, and how long that took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effort {
    pub(crate) tries: u32,
    pub(crate) elapsed: Duration,
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tries {
            0 | 1 => Ok(()),
            tries => write!(f, " ({tries} tries in {:.1} s)", self.elapsed.as_secs_f64()),
        }
    }
}

/// An answer that is not the one that was asked for.
#[derive(Debug)]
pub struct Rejection {
    status: u16,
    codes: Vec<ErrorCode>,
    missing_blob: Option<Digest>,
    message: Option<String>,
    retry_after: Option<Duration>,
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
            retry_after: retry_after(headers),
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

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        let (kind, _) = meaning(self.status);
        if self.status != 400 {
            return kind;
        }
        let has = |code| self.has_code(&code);
        if has(ErrorCode::DigestInvalid) || has(ErrorCode::SizeInvalid) {
            ErrorKind::Mismatch
        } else if has(ErrorCode::Denied) || has(ErrorCode::Unauthorized) {
            ErrorKind::Denied
        } else if has(ErrorCode::Toomanyrequests) {
            ErrorKind::Unavailable
        } else {
            kind
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, sentence) = meaning(self.status);
        write!(f, "{sentence} ({})", self.status)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(wait) = self.retry_after {
            write!(f, "; the server asks to wait {} s", wait.as_secs())?;
        }
        Ok(())
    }
}

/// What each status means to a client of a registry.
fn meaning(status: u16) -> (ErrorKind, &'static str) {
    match status {
        200..=299 => (ErrorKind::Unsupported, "unexpected success"),
        300..=399 => (ErrorKind::Unsupported, "unexpected redirect"),
        401 => (
            ErrorKind::Denied,
            "credentials are missing or were not accepted",
        ),
        402 => (ErrorKind::Denied, "the registry asks for payment"),
        403 => (ErrorKind::Denied, "access is denied"),
        404 | 410 => (ErrorKind::NotFound, "not found"),
        405 => (
            ErrorKind::Unsupported,
            "not allowed by this registry, or it is read-only",
        ),
        406 | 415 => (ErrorKind::Unsupported, "the media type is not accepted"),
        409 | 412 => (
            ErrorKind::Failed,
            "in conflict with what is there; the tag may be immutable",
        ),
        413 => (
            ErrorKind::Unsupported,
            "larger than the registry, or a proxy before it, accepts",
        ),
        416 => (ErrorKind::Failed, "the registry does not accept this range"),
        429 => (ErrorKind::Unavailable, "rate limited"),
        431 => (
            ErrorKind::Unsupported,
            "the request's headers are larger than accepted",
        ),
        451 => (ErrorKind::Denied, "withheld for legal reasons"),
        408 | 425 | 499 => (ErrorKind::Unavailable, "the registry asks to try again"),
        501 | 505 => (ErrorKind::Unsupported, "not supported by this registry"),
        507 => (ErrorKind::Failed, "the registry has no space left"),
        500..=599 => (ErrorKind::Unavailable, "the registry failed"),
        _ => (ErrorKind::Failed, "the registry refused"),
    }
}

/// Whether the body is for a browser.
fn is_page(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    content_type.is_some_and(|name| {
        name.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
    })
}

/// What a JSON document of another form says for people, as token servers send it. Its other members
/// may be tokens, and are not shown (security row A24).
fn text_of_document(document: &serde_json::Value) -> Option<String> {
    let texts = ["error", "error_description", "message", "details", "detail"]
        .into_iter()
        .filter_map(|name| document.get(name)?.as_str());
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// The blob that an entry says is unknown. Registries name it in `detail`, as a text or in an object
/// of any form, or only in the message.
fn missing_blob_of(entry: &ErrorEntry) -> Option<Digest> {
    let is_missing = [ErrorCode::BlobUnknown, ErrorCode::ManifestBlobUnknown].contains(&entry.code);
    let texts = [entry.detail.to_string(), entry.message.clone()];
    let found = texts.iter().find_map(|text| digest_in(text));
    found.filter(|_| is_missing)
}

/// The first digest in a text.
fn digest_in(text: &str) -> Option<Digest> {
    let of_digest = |c: char| c.is_ascii_alphanumeric() || c == ':';
    text.split(|c| !of_digest(c))
        .find_map(|word| word.parse().ok())
}

fn text_of_entry(entry: &ErrorEntry) -> String {
    let code = match serde_json::to_value(&entry.code) {
        Ok(serde_json::Value::String(code)) => code,
        _ => String::new(),
    };
    match entry.message.as_str() {
        "" => code,
        message => format!("{code} {message}"),
    }
}

/// A server's words, fit for a terminal: one line without control and direction characters, which
/// could rewrite what the user sees, and not longer than a user reads.
pub(crate) fn cleaned(text: &str) -> String {
    let harmless = text.chars().map(|character| match character {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
        '\u{feff}' => ' ',
        character if character.is_control() => ' ',
        character => character,
    });
    let text: String = harmless.take(MESSAGE_LENGTH).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Retry-After` in either form (RFC 9110, section 10.2.3). A date counts from the server's own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let wait = text(RETRY_AFTER)?.trim();
    if let Ok(seconds) = wait.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(wait).ok()?;
    let now = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    let now = now.unwrap_or_else(std::time::SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn error_document_is_read() {
        let body = br#"{"errors":[{"code":"DIGEST_INVALID","message":"no"},{"code":"X"}]}"#;
        let rejection = Rejection::read(400, &HeaderMap::new(), body);
        assert_eq!(
            rejection.to_string(),
            "the registry refused (400): DIGEST_INVALID no; X"
        );
        assert_eq!(rejection.kind(), ErrorKind::Mismatch);
    }

    /// Security row Q13.
    #[test]
    fn missing_blob_is_found_in_every_form() {
        let digest = Digest::sha256(b"layer");
        for (code, detail, found) in [
            ("MANIFEST_BLOB_UNKNOWN", format!("\"{digest}\""), true),
            ("BLOB_UNKNOWN", format!(r#"{{"Digest":"{digest}"}}"#), true),
            ("BLOB_UNKNOWN", format!(r#"[{{"a":["{digest}"]}}]"#), true),
            ("BLOB_UNKNOWN", r#""sha256:canary""#.to_owned(), false),
            ("BLOB_UNKNOWN", "null".to_owned(), false),
            ("MANIFEST_UNKNOWN", format!("\"{digest}\""), false),
        ] {
            let body = format!(r#"{{"errors":[{{"code":"{code}","detail":{detail}}}]}}"#);
            let rejection = Rejection::read(404, &HeaderMap::new(), body.as_bytes());
            assert_eq!(rejection.missing_blob(), found.then_some(digest), "{body}");
        }
        let body =
            format!(r#"{{"errors":[{{"code":"BLOB_UNKNOWN","message":"no [{digest}] here"}}]}}"#);
        let rejection = Rejection::read(400, &HeaderMap::new(), body.as_bytes());
        assert_eq!(rejection.missing_blob(), Some(digest));
    }

    #[test]
    fn anything_else_degrades_to_its_text() {
        let page = headers(&[("content-type", "text/HTML; charset=utf-8")]);
        for (headers, body, message) in [
            (HeaderMap::new(), &b"upstream down"[..], ": upstream down"),
            (HeaderMap::new(), b"\xff", ": \u{fffd}"),
            (HeaderMap::new(), b"", ""),
            (page, b"<html>", ": a web page, not a registry's answer"),
        ] {
            let rejection = Rejection::read(503, &headers, body);
            assert_eq!(
                rejection.to_string(),
                format!("the registry failed (503){message}")
            );
        }
    }

    /// Security row A24.
    #[test]
    fn only_what_is_for_people_is_shown_of_other_documents() {
        let shown = |body: &str| {
            let rejection = Rejection::read(403, &HeaderMap::new(), body.as_bytes());
            rejection.to_string()
        };
        assert_eq!(
            shown(r#"{"error":"invalid_grant","token":"canary"}"#),
            "access is denied (403): invalid_grant"
        );
        assert_eq!(shown(r#"{"token":"canary"}"#), "access is denied (403)");
        assert_eq!(shown(r#"["canary"]"#), "access is denied (403)");
        assert_eq!(shown("go away"), "access is denied (403): go away");
    }

    /// Quirk Q46.
    #[test]
    fn terminal_escapes_are_stripped() {
        let hostile = "\u{1b}[2Jhi\r\n\u{202e}there\u{9b}31m\u{7f}\0";
        assert_eq!(cleaned(hostile), "[2Jhi there 31m");
        assert_eq!(cleaned(&"x".repeat(5000)).len(), MESSAGE_LENGTH);
    }

    /// Quirk Q42.
    #[test]
    fn retry_after_is_read_in_both_forms() {
        let seconds = headers(&[("retry-after", "7")]);
        assert_eq!(retry_after(&seconds), Some(Duration::from_secs(7)));
        let date = headers(&[
            ("date", "Tue, 24 Nov 2026 06:00:00 GMT"),
            ("retry-after", "Tue, 24 Nov 2026 06:00:30 GMT"),
        ]);
        assert_eq!(retry_after(&date), Some(Duration::from_secs(30)));
        for odd in ["880\u{b5}s", "-1", "soon", ""] {
            assert_eq!(
                retry_after(&headers(&[("retry-after", odd)])),
                None,
                "{odd}"
            );
        }
    }

    /// Quirk Q43.
    #[test]
    fn only_some_statuses_are_transient() {
        let transient = [408, 429, 499, 500, 502, 503, 504, 522];
        for status in 200..600 {
            let expected = transient.contains(&status)
                || status == 425
                || (500..600).contains(&status) && ![501, 505, 507].contains(&status);
            assert_eq!(meaning(status).0.is_transient(), expected, "{status}");
        }
    }
}
