//! Answers: the error document of the specification, and responses with exact headers.

use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};

use crate::registry::RegistryError;

/// `Docker-Content-Digest`: the digest of what an answer holds or names.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// The codes of distribution-spec, "Error Codes".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Denied,
    Unauthorized,
    Unsupported,
    TooManyRequests,
    /// Not of the specification, which has none for 5xx; what other registries send there.
    Unknown,
}

impl Code {
    /// The code as it is sent, and the status that belongs to it.
    fn parts(self) -> (&'static str, StatusCode) {
        match self {
            Self::BlobUnknown => ("BLOB_UNKNOWN", StatusCode::NOT_FOUND),
            Self::BlobUploadInvalid => ("BLOB_UPLOAD_INVALID", StatusCode::BAD_REQUEST),
            Self::BlobUploadUnknown => ("BLOB_UPLOAD_UNKNOWN", StatusCode::NOT_FOUND),
            Self::DigestInvalid => ("DIGEST_INVALID", StatusCode::BAD_REQUEST),
            Self::ManifestBlobUnknown => ("MANIFEST_BLOB_UNKNOWN", StatusCode::NOT_FOUND),
            Self::ManifestInvalid => ("MANIFEST_INVALID", StatusCode::BAD_REQUEST),
            Self::ManifestUnknown => ("MANIFEST_UNKNOWN", StatusCode::NOT_FOUND),
            Self::NameInvalid => ("NAME_INVALID", StatusCode::BAD_REQUEST),
            Self::NameUnknown => ("NAME_UNKNOWN", StatusCode::NOT_FOUND),
            Self::SizeInvalid => ("SIZE_INVALID", StatusCode::BAD_REQUEST),
            Self::Denied => ("DENIED", StatusCode::FORBIDDEN),
            Self::Unauthorized => ("UNAUTHORIZED", StatusCode::UNAUTHORIZED),
            Self::Unsupported => ("UNSUPPORTED", StatusCode::METHOD_NOT_ALLOWED),
            Self::TooManyRequests => ("TOOMANYREQUESTS", StatusCode::TOO_MANY_REQUESTS),
            Self::Unknown => ("UNKNOWN", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// A refusal on its way to the client.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: Code,
    message: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Failure {
    /// A failure with the status that belongs to its code. The message never names a local path.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            status: code.parts().1,
            code,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// The same with another status.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with one more header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with the headers of an answer, but for those about its body.
    pub(crate) fn with_headers_of(mut self, answer: &Response<Body>) -> Self {
        let headers = answer.headers().iter();
        let kept = headers.filter(|(name, _)| **name != header::CONTENT_LENGTH);
        self.headers
            .extend(kept.map(|(name, value)| (name.clone(), value.clone())));
        self
    }

    /// Turns it into the answer.
    pub(crate) fn into_response(self) -> Response<Body> {
        let errors = serde_json::json!({
            "errors": [{ "code": self.code.parts().0, "message": self.message }],
        });
        let mut response = document("application/json", errors.to_string().into_bytes());
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A local failure: the cause goes to the log, with its path, and not to the client.
impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        if let RegistryError::Quota { .. } = error {
            return Self::new(Code::Denied, error.to_string());
        }
        tracing::error!("{error}");
        if error.is_full() {
            return Self::new(Code::Unknown, "the registry's disk is full")
                .with_status(StatusCode::INSUFFICIENT_STORAGE);
        }
        Self::new(
            Code::Unknown,
            "the registry's storage failed; its log says why",
        )
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if status != StatusCode::NO_CONTENT {
        set(&mut response, header::CONTENT_LENGTH, "0");
    }
    response
}

/// An answer with a document in memory.
pub(crate) fn document(content_type: &str, content: Vec<u8>) -> Response<Body> {
    let length = content.len().to_string();
    let mut response = Response::new(Body::from(content));
    set(&mut response, header::CONTENT_TYPE, content_type);
    set(&mut response, header::CONTENT_LENGTH, &length);
    response
}

/// Sets a header.
pub(crate) fn set(response: &mut Response<Body>, name: HeaderName, value: impl AsRef<str>) {
    response
        .headers_mut()
        .insert(name, value_of(value.as_ref()));
}

/// A header value of text that was parsed or made here.
pub(crate) fn value_of(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("names, digests and numbers are visible ASCII")
}
