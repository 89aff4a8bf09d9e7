//! A registry as a store: HTTP, credentials, retry.
//!
//! [`Reference`](crate::oci::Reference) → [`Repository`], which is a
//! [`Storage`](crate::store::Storage) with tags and referrers. Whatever a registry sends is
//! hostile until it was checked: digests are computed, sizes bounded, redirects judged.
//!
//! Invariants: what belongs to a registry (credentials, headers, certificates) is bound to its
//! scheme, host and port and sent nowhere else; no message, log or `Debug` output shows a secret;
//! nothing is read from the environment or the home directory.

mod auth;
mod client;
pub mod credentials;
mod error;
mod failure;
mod http;
mod options;
mod repository;
mod retry;
mod secret;
mod unfinished;

pub use auth::{Bearer, Challenge, ChallengeError};
pub use client::Client;
pub use error::{ConnectionFault, ContentFault, Distrust, ProtocolFault, TransportError};
#[cfg(fuzzing)]
pub(crate) use failure::asked_wait;
pub use failure::{Effort, Rejection, RequestLine};
pub use options::{
    ClientCertificate, ClientOptions, Proxies, RangeOptions, RetryOptions, Timeouts,
};
pub use repository::Repository;
#[cfg(fuzzing)]
pub(crate) use repository::{next_target, offset_after};
pub use secret::Secret;
#[cfg(fuzzing)]
pub(crate) use {http::Origin, unfinished::Key, unfinished::Record};
