//! What all requests share.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::registry::access::Policy;
use crate::registry::depot::{Collected, Depot, Sessions};
use crate::registry::observe::Counting;
use crate::registry::wire::{Code, Failure, Hosts};
use crate::registry::{Collection, RegistryError, RegistryOptions};

/// A depot, the uploads to it, and the bounds of both.
#[derive(Debug)]
pub(in crate::registry) struct Service {
    pub(super) depot: Depot,
    pub(super) sessions: Sessions,
    pub(super) receivers: Semaphore,
    pub(super) options: RegistryOptions,
    pub(super) hosts: Hosts,
    pub(super) policy: Policy,
}

impl Service {
    /// A service over an open depot.
    pub(in crate::registry) fn new(
        depot: Depot,
        (hosts, policy): (Hosts, Policy),
        options: RegistryOptions,
    ) -> Self {
        Self {
            depot,
            sessions: Sessions::new(&options),
            receivers: Semaphore::new(options.receivers),
            options,
            hosts,
            policy,
        }
    }

    /// Counts a connection for as long as it is open.
    pub(in crate::registry) fn count_connection(&self) -> Counting {
        Counting::connection(&self.options.metrics)
    }

    /// When garbage is collected.
    pub(in crate::registry) fn collection(&self) -> Option<Collection> {
        self.options.collection
    }

    /// Collects garbage, if nobody else is busy with the store. It blocks.
    pub(in crate::registry) fn collect(&self, keep: Duration) {
        match self.depot.collect(keep, &self.sessions.repositories()) {
            Ok(Some(Collected { blobs, bytes })) => {
                let metrics = &self.options.metrics;
                metrics.collections.fetch_add(1, Ordering::Relaxed);
                metrics.freed.fetch_add(bytes, Ordering::Relaxed);
                tracing::info!("collected {blobs} blobs of {bytes} bytes");
            }
            Ok(None) => tracing::info!("garbage is left for later: the store is in use"),
            Err(error) => tracing::error!("{error}"),
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

    /// Reads the users again if their file has changed. It blocks.
    pub(in crate::registry) fn refresh_users(&self) {
        self.policy.refresh();
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
