//! The head of a request, as handlers read it.

use axum::http::request::Parts;
use axum::http::{Method, header};

/// Method, path, headers, and the query decoded.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) parts: Parts,
    pub(crate) query: Query,
}

impl Head {
    /// Decodes the query.
    pub(crate) fn new(parts: Parts) -> Self {
        let query = Query::parse(parts.uri.query());
        Self { parts, query }
    }

    /// A header, if it is there and text.
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// The announced length of the body in bytes.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header(header::CONTENT_LENGTH)?.parse().ok()
    }

    /// Whether only the head of the answer is wanted.
    pub(crate) fn is_head(&self) -> bool {
        self.parts.method == Method::HEAD
    }
}

/// Parameters in the order they came.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part of a URL after the question mark.
    pub(crate) fn parse(text: Option<&str>) -> Self {
        let text = text.unwrap_or_default();
        Self(
            url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The first value of a parameter.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(key, _)| key == name)?;
        Some(&named.1)
    }

    /// Every value of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }
}
