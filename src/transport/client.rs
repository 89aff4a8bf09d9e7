//! A client of any number of registries: connections, credentials and patience, shared.

use std::path::Path;
use std::sync::{Arc, Mutex};

use reqwest::Method;

use super::TransportError;
use super::auth::{Authorizer, Scopes};
use super::credentials::{Credential, Credentials, StoredIn};
use super::http::{Connections, RegistryHost, Request, Session, Shared};
use super::options::ClientOptions;
use super::repository::{Habits, Offered, Repository};
use super::unfinished::Unfinished;
use crate::Result;
use crate::oci::Reference;
use crate::store::Pieces;

/// A client of registries; cheap to clone.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    credentials: Credentials,
    plain_http: Option<bool>,
}

impl Client {
    /// Makes a client. Certificates that were given are read now, those of the system when TLS is
    /// first spoken; nothing is connected to yet.
    pub fn new(options: ClientOptions) -> Result<Self> {
        Ok(Self {
            shared: Arc::new(Shared {
                connections: Arc::new(Connections::new(&options)?),
                authorizer: Authorizer::new(options.credentials.clone()),
                retry: options.retry,
                pieces: Pieces::default(),
                ranges: options.ranges,
                lanes: Mutex::default(),
                warnings: Mutex::default(),
                referrers_tags: Arc::default(),
                habits: Habits::default(),
                offered: Offered::default(),
                unfinished: Unfinished::new(options.state),
            }),
            credentials: options.credentials,
            plain_http: options.plain_http,
        })
    }

    /// The repository that a reference names, whose registry must be given.
    pub fn repository(&self, reference: &Reference) -> Result<Repository> {
        let registry = reference
            .registry()
            .ok_or_else(|| TransportError::Unusable {
                subject: format!("reference `{reference}`"),
                reason: "names no registry, expected `registry/repository`".to_owned(),
            })?;
        let session = self.session(registry, reference.repository())?;
        Ok(Repository::new(session))
    }

    /// Asks a registry whether it accepts a credential, and stores it if so: with the helper that
    /// the file names, else in the file.
    pub async fn log_in(
        &self,
        registry: &str,
        credential: &Credential,
        file: &Path,
    ) -> Result<StoredIn> {
        let given = Credentials::default().give(registry, credential.clone());
        let asking = Self {
            shared: Arc::new(Shared {
                connections: self.shared.connections.clone(),
                authorizer: Authorizer::new(given),
                retry: self.shared.retry,
                pieces: Pieces::default(),
                ranges: self.shared.ranges,
                lanes: Mutex::default(),
                warnings: Mutex::default(),
                referrers_tags: Arc::default(),
                habits: Habits::default(),
                offered: Offered::default(),
                unfinished: Unfinished::default(),
            }),
            ..self.clone()
        };
        asking.ping(registry).await?;
        let stored = self.credentials.store(file, registry, credential).await;
        Ok(stored.map_err(TransportError::from)?)
    }

    /// Erases the credential of a registry from a file and from the helper that the file names;
    /// says whether there was one.
    pub async fn log_out(&self, registry: &str, file: &Path) -> Result<bool> {
        let erased = self.credentials.erase(file, registry).await;
        Ok(erased.map_err(TransportError::from)?)
    }

    /// Asks whether a registry is there and accepts us (distribution-spec, "Determining Support").
    pub async fn ping(&self, registry: &str) -> Result<()> {
        let session = self.session(registry, "")?;
        let request = Request::new(Method::GET, session.host.base.clone(), Scopes::none());
        session.send(&request).await?.drain().await;
        Ok(())
    }

    fn session(&self, registry: &str, repository: &str) -> Result<Session, TransportError> {
        let host = RegistryHost::new(registry, self.plain_http)?;
        Ok(Session {
            shared: self.shared.clone(),
            repository: host.repository(repository),
            host: Arc::new(host),
        })
    }
}
