//! What is asked of a registry: a value that can be sent any number of times.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::oci::Descriptor;
use crate::store::BlobSource;
use crate::transport::auth::Scopes;
use crate::transport::failure::{ManifestPut, RequestLine};

/// A request to a registry, before credentials.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body<'a>,
    /// What a token must be good for.
    pub(crate) scopes: Scopes,
    /// The manifest that it is to store, if it is one.
    pub(crate) manifest: Option<Arc<ManifestPut>>,
}

/// The content of a request.
pub(crate) enum Body<'a> {
    /// None.
    Empty,
    /// A document.
    Bytes(Bytes),
    /// A part of a blob, opened again each time that the request is sent.
    Part(Part<'a>),
}

/// A part of a blob.
pub(crate) struct Part<'a> {
    /// The whole blob.
    pub(crate) blob: &'a Descriptor,
    /// Its content.
    pub(crate) content: &'a dyn BlobSource,
    /// The part, in bytes.
    pub(crate) range: Range<u64>,
    /// Whether it is held back for a moment, so that an answer to the head alone can come first.
    pub(crate) hesitates: bool,
}

impl Body<'_> {
    /// How many bytes are sent.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Part(part) => part.range.end - part.range.start,
        }
    }
}

impl<'a> Request<'a> {
    /// A request without content. Answers are wanted as they are: digests are of those bytes.
    pub(crate) fn new(method: Method, url: Url, scopes: Scopes) -> Self {
        let identity = (ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Self {
            method,
            url,
            headers: HeaderMap::from_iter([identity]),
            body: Body::Empty,
            scopes,
            manifest: None,
        }
    }

    /// The same request with a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The request, as messages name it.
    pub(crate) fn line(&self) -> RequestLine {
        RequestLine::new(&self.method, &self.url)
    }

    /// The same request with content.
    pub(crate) fn content(mut self, content_type: HeaderValue, body: Body<'a>) -> Self {
        self.headers.insert(CONTENT_TYPE, content_type);
        self.body = body;
        self
    }
}
