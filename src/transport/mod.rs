//! A registry as a store: HTTP, credentials, retry.

mod error;

pub use error::TransportError;
