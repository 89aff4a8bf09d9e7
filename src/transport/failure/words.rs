//! A server's words, as far as they are for people.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::oci::Digest;
use crate::oci::registry_error::{ErrorCode, ErrorEntry};

/// How much of what a server says is shown, in characters.
const MESSAGE_LENGTH: usize = 1024;

/// Whether the body is for a browser.
pub(crate) fn is_page(headers: &HeaderMap) -> bool {
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
pub(super) fn text_of_document(document: &serde_json::Value) -> Option<String> {
    let texts = ["error", "error_description", "message", "details", "detail"]
        .into_iter()
        .filter_map(|name| document.get(name)?.as_str());
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// The blob that an entry says is unknown. Registries name it in `detail`, as a text or in an object
/// of any form, or only in the message.
pub(super) fn missing_blob_of(entry: &ErrorEntry) -> Option<Digest> {
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

pub(super) fn text_of_entry(entry: &ErrorEntry) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Quirk Q46.
    #[test]
    fn terminal_escapes_are_stripped() {
        let hostile = "\u{1b}[2Jhi\r\n\u{202e}there\u{9b}31m\u{7f}\0";
        assert_eq!(cleaned(hostile), "[2Jhi there 31m");
        assert_eq!(cleaned(&"x".repeat(5000)).len(), MESSAGE_LENGTH);
    }
}
