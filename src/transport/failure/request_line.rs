//! A request and what it took, as messages show them.

use std::fmt;
use std::time::Duration;

use reqwest::Method;
use url::Url;

use crate::transport::http::ShownUrl;

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
