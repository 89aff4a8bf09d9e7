//! What exactly went wrong with a request, in words.

use std::time::Duration;

use crate::oci::Digest;

/// How a connection failed. The texts are those of the system, without URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionFault {
    /// The host was not found or did not accept the connection.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The server's certificate was not accepted, or it asked for one of ours.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// What answered a request without TLS is no HTTP.
    #[error("the server does not speak plain HTTP, perhaps TLS")]
    NotHttp,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// A short document took too long.
    #[error("the answer did not come within {} s", .0.as_secs())]
    Slow(Duration),
    /// Less moved than a connection that works would move.
    #[error("only {bytes} bytes came within {} s", .within.as_secs())]
    Trickled {
        /// How many bytes came.
        bytes: u64,
        /// In this time.
        within: Duration,
    },
    /// Nothing moved for too long.
    #[error("nothing moved for {} s", .0.as_secs())]
    Stalled(Duration),
}

impl ConnectionFault {
    /// What to do next, where that can be said.
    pub(super) fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Tls(_) => Some(
                "`--ca-cert FILE` trusts an authority of your own; `--plain-http` is for a registry without TLS",
            ),
            Self::NotHttp => Some("`--plain-http=false` talks TLS to localhost, too"),
            _ => None,
        }
    }
}

/// Why we do not go where a server sent us. The hosts are shown without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// From HTTPS to plain HTTP.
    #[error("refusing to downgrade to plain HTTP at `{0}`")]
    Downgrade(String),
    /// Further inside the network than the registry is.
    #[error("refusing to go to the internal address `{0}`")]
    Inward(String),
    /// To something that is not a web server.
    #[error("refusing to go to `{0}`: only http and https are followed")]
    Scheme(String),
    /// To a URL that has a user in it.
    #[error("refusing to go to `{0}` with the user name in the URL")]
    User(String),
    /// Round and round.
    #[error("sent in a circle, back to `{0}`")]
    Circle(String),
    /// On and on.
    #[error("redirected more than {0} times")]
    TooManyHops(usize),
    /// To a token server whose URL is none.
    #[error("the token server's URL is invalid: {0}")]
    Realm(String),
    /// From a token server to elsewhere.
    #[error("refusing to follow a token server's redirect to `{0}`")]
    TokenRedirect(String),
    /// To another host for the next page of a list.
    #[error("refusing to follow the next page of a list to `{0}`")]
    Page(String),
}

/// Which rule a server broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolFault {
    /// The answer has no `Location`.
    #[error("answered without a `Location`")]
    NoLocation,
    /// An upload was answered with a success that is none.
    #[error("answered the upload with {0} and does not have the blob")]
    NotStored(u16),
    /// A header is not what it must be.
    #[error("sent an invalid `{name}` header: {value:?}")]
    Header {
        /// Its name.
        name: &'static str,
        /// The start of its value.
        value: String,
    },
    /// An answer is longer than anyone needs.
    #[error("sent a {what} larger than {limit} bytes")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// An answer is not the JSON document that it must be.
    #[error("sent a malformed {what}: {reason}")]
    Malformed {
        /// What it must be.
        what: &'static str,
        /// Why it is none.
        reason: String,
    },
    /// The part of a blob that was sent is another than was asked for.
    #[error("sent the range {actual:?}, expected `{expected}`")]
    Range {
        /// What was asked for.
        expected: String,
        /// The `Content-Range`.
        actual: String,
    },
    /// The answer is a page for a browser, as the login pages of networks and proxies are.
    #[error("answered with a page of type `text/html`, expected {expected}; is it a login page?")]
    Page {
        /// What was asked for.
        expected: String,
    },
    /// The blob was encoded although only the bytes themselves were asked for.
    #[error("sent the content encoded as {0:?}, expected the bytes themselves")]
    Encoding(String),
    /// A list has no end.
    #[error("returned more than {0} pages")]
    TooManyPages(usize),
    /// A list is longer than anyone needs.
    #[error("returned more than {0} items")]
    TooManyItems(usize),
    /// Every update of a shared tag was overwritten by somebody else.
    #[error("lost {0} updates of the referrers tag to other writers")]
    LostUpdates(u32),
}

/// What differs from what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentFault {
    /// The bytes have another digest.
    #[error("digest mismatch: expected `{expected}`, got `{actual}`")]
    Digest {
        /// What was asked for.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// The bytes have another digest than the server says.
    #[error("the registry announced `{announced}` and sent `{actual}`")]
    Announced {
        /// `Docker-Content-Digest`.
        announced: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// The length is another.
    #[error("size mismatch: expected {expected} bytes, got {actual}")]
    Size {
        /// What was asked for, in bytes.
        expected: u64,
        /// What was sent or announced, in bytes.
        actual: u64,
    },
    /// The manifest that was sent is not the one that is kept.
    #[error("registry stored a different manifest: expected `{expected}`, got `{actual}`")]
    Stored {
        /// What was sent.
        expected: Digest,
        /// What the registry says it keeps.
        actual: String,
    },
}
