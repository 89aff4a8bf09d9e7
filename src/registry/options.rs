//! How a store is served.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{AccessLog, Metrics};

/// The files that TLS needs, both in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, and those that vouch for it.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

/// When garbage is collected, and what counts as such.
#[derive(Debug, Clone, Copy)]
pub struct Collection {
    /// The time between two collections.
    pub interval: Duration,
    /// How long a blob that no manifest needs is kept since it was pushed or asked for, and since
    /// anything was pushed to its repository.
    pub keep: Duration,
}

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
    /// Users, as `htpasswd -B` writes them; read again when the file changes. Without it everybody
    /// may do everything.
    pub htpasswd: Option<PathBuf>,
    /// Whether to pull and to list needs no user.
    pub anonymous_read: bool,
    /// Users who may push and delete; all of them where none is listed.
    pub writers: Vec<String>,
    /// Whether nobody may push and delete.
    pub read_only: bool,
    /// Speaks TLS, and nothing else, with these.
    pub tls: Option<TlsFiles>,
    /// How many bytes may be stored in all.
    pub quota: Option<u64>,
    /// How many bytes each repository may have; what several have counts in each of them.
    pub repository_quota: Option<u64>,
    /// When garbage is collected; never where there is none.
    pub collection: Option<Collection>,
    /// Whether a manifest may be pushed before, or without, what it refers to.
    pub sparse: bool,
    /// Where each request is told, once it is over.
    pub log: Option<AccessLog>,
    /// What is counted; [`super::serve_metrics`] shows it.
    pub metrics: Arc<Metrics>,
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
            htpasswd: None,
            anonymous_read: false,
            writers: Vec::new(),
            read_only: false,
            tls: None,
            quota: None,
            repository_quota: None,
            collection: None,
            sparse: false,
            log: None,
            metrics: Arc::default(),
            connections: 1024,
            uploads: 1024,
            receivers: 64,
            patience: Duration::from_secs(60),
            upload_life: Duration::from_secs(3600),
            grace: Duration::from_secs(10),
        }
    }
}
