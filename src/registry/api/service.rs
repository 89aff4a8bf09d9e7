//! What all requests share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::registry::depot::{Depot, Sessions};
use crate::registry::wire::{Code, Failure, Hosts};
use crate::registry::{RegistryError, RegistryOptions};

/// A depot, the uploads to it, and the bounds of both.
#[derive(Debug)]
pub(in crate::registry) struct Service {
    pub(super) depot: Depot,
    pub(super) sessions: Sessions,
    pub(super) receivers: Semaphore,
    pub(super) options: RegistryOptions,
    pub(super) hosts: Hosts,
}

impl Service {
    /// A service over an open depot.
    pub(in crate::registry) fn new(depot: Depot, hosts: Hosts, options: RegistryOptions) -> Self {
        Self {
            depot,
            sessions: Sessions::new(options.uploads),
            receivers: Semaphore::new(options.receivers),
            options,
            hosts,
        }
    }

    /// How many connections there may be.
    pub(in crate::registry) fn connections(&self) -> usize {
        self.options.connections
    }

    /// How long a client may keep the registry waiting.
    pub(in crate::registry) fn patience(&self) -> Duration {
        self.options.patience
    }

    /// Forgets uploads that nobody came back to.
    pub(in crate::registry) fn expire_uploads(&self) {
        self.sessions.expire(self.options.upload_life);
    }

    /// Runs something that blocks on the depot.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, Failure> {
        let service = Arc::clone(self);
        on_disk(move || work(&service)).await
    }
}

/// Runs a step that blocks. It ends even if the request is given up. A panic in it is the failure
/// of this request alone.
pub(super) async fn on_disk<T: Send + 'static>(
    step: impl FnOnce() -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(step).await {
        Ok(result) => result.map_err(Failure::from),
        Err(error) => {
            tracing::error!("a request was given up: {error}");
            Err(Failure::new(Code::Unknown, "the registry gave up"))
        }
    }
}
