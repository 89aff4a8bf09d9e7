//! How a store is served.

use std::path::PathBuf;
use std::time::Duration;

/// What is served, and within which bounds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// The folder of the store, an OCI image layout; made where there is none.
    pub store: PathBuf,
    /// Host names by which the registry may be addressed. An IP address and `localhost` are always
    /// good, and on an address other than a loopback one any name is good as long as none is
    /// listed. A web page whose own name leads here is thereby kept out.
    pub hosts: Vec<String>,
    /// Whether a manifest may be pushed before, or without, what it refers to.
    pub sparse: bool,
    /// Connections at a time; further ones wait to be accepted.
    pub connections: usize,
    /// Uploads that may be open at a time, in work or waiting for their client.
    pub uploads: usize,
    /// Request bodies that are received at a time; further ones wait.
    pub receivers: usize,
    /// How long a client may take to send the head of a request, to send any more of a body, or to
    /// take any more of an answer.
    pub patience: Duration,
    /// How long an upload stays open without a request.
    pub upload_life: Duration,
    /// How long requests in work may take to end once the registry is asked to stop.
    pub grace: Duration,
}

impl RegistryOptions {
    /// Serves a folder within the default bounds.
    pub fn new(store: impl Into<PathBuf>) -> Self {
        Self {
            store: store.into(),
            hosts: Vec::new(),
            sparse: false,
            connections: 1024,
            uploads: 1024,
            receivers: 64,
            patience: Duration::from_secs(60),
            upload_life: Duration::from_secs(3600),
            grace: Duration::from_secs(10),
        }
    }
}
