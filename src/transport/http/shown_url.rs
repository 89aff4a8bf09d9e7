//! URLs as they may be shown: pre-signed URLs carry secrets in their query, proxies and careless
//! servers in their user information.

use std::fmt;

use url::Url;

use crate::oci::Digest;

/// A URL without user information and without the values of its query.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ShownUrl(String);

impl ShownUrl {
    /// The text that is shown.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Url> for ShownUrl {
    fn from(url: &Url) -> Self {
        let mut shown = url.clone();
        // Fails only for URLs that have no host and so no user either.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        shown.set_fragment(None);
        shown.set_query(None);
        let mut text = String::from(shown);
        let mut mark = '?';
        for part in url.query().into_iter().flat_map(|query| query.split('&')) {
            text.push(mark);
            mark = '&';
            match part.split_once('=') {
                Some((name, value)) => text.extend([name, "=", &shown_value(value)]),
                None => text.push('…'),
            }
        }
        Self(text)
    }
}

/// A value of a query: a digest, which is public and tells which blob it is about, or no more than
/// that there is one.
fn shown_value(value: &str) -> String {
    let text = value.replace("%3A", ":");
    text.parse::<Digest>().map_or("…".to_owned(), |_| text)
}

impl fmt::Display for ShownUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ShownUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Security row A24.
    #[test]
    fn user_information_and_query_values_are_not_shown() {
        for (url, shown) in [
            (
                "https://u:canary@h/p?X-Sig=canary&a=canary#canary",
                "https://h/p?X-Sig=…&a=…",
            ),
            ("https://h/p?canary", "https://h/p?…"),
            ("https://h:8443/p", "https://h:8443/p"),
            (
                "https://h/p?digest=sha256%3Ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "https://h/p?digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
        ] {
            assert_eq!(ShownUrl::from(&Url::parse(url).unwrap()).to_string(), shown);
        }
    }
}
