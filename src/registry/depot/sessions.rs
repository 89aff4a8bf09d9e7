//! The uploads that are open: at most so many, each in the hands of one request at a time.
//!
//! A client whose connection broke comes back before this side notices. So a newer request about
//! a session ends an older one: it takes the next turn, and who receives a body stops when the
//! turn is no longer its own.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedMutexGuard, watch};

use super::{Depot, Repository, Upload};
use crate::oci::Algorithm;
use crate::registry::observe::Metrics;
use crate::registry::{RegistryError, RegistryOptions};

/// An upload that a client can come back to.
#[derive(Debug)]
pub(crate) struct Session {
    id: String,
    repository: Repository,
    /// `None` once it is finished, cancelled or broken.
    upload: Arc<tokio::sync::Mutex<Option<Upload>>>,
    turn: watch::Sender<u64>,
    touched: Mutex<Instant>,
}

/// The right to change an upload, until a newer request wants it.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Whose upload it is.
    pub(crate) session: Arc<Session>,
    /// The upload, if it is still open.
    pub(crate) upload: OwnedMutexGuard<Option<Upload>>,
    /// Whether it is still this one's turn.
    pub(crate) lease: Lease,
}

/// A turn's place in the order of turns.
#[derive(Debug)]
pub(crate) struct Lease {
    number: u64,
    turns: watch::Receiver<u64>,
}

impl Lease {
    /// Waits until a newer request wants the upload.
    pub(crate) async fn ended(&mut self) {
        let number = self.number;
        // An error means that the session is gone, which ends every turn.
        let _ = self.turns.wait_for(|turn| *turn != number).await;
    }
}

impl Session {
    /// The name that clients know it by: random, and only ever looked up.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The repository that the blob is for.
    pub(crate) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Takes the upload; `None` if an even newer request came before it was free.
    pub(crate) async fn take(self: Arc<Self>) -> Option<Turn> {
        let mut number = 0;
        self.turn.send_modify(|turn| {
            *turn += 1;
            number = *turn;
        });
        self.touch();
        let mut lease = Lease {
            number,
            turns: self.turn.subscribe(),
        };
        tokio::select! {
            upload = Arc::clone(&self.upload).lock_owned() => {
                Some(Turn { session: self, upload, lease })
            }
            () = lease.ended() => None,
        }
    }

    fn touch(&self) {
        *lock(&self.touched) = Instant::now();
    }

    /// Whether nobody works on it, and nobody asked for it lately.
    fn is_idle(&self, limit: Duration) -> bool {
        lock(&self.touched).elapsed() > limit && self.upload.try_lock().is_ok()
    }
}

/// All open uploads, by their names.
#[derive(Debug)]
pub(crate) struct Sessions {
    limit: usize,
    metrics: Arc<Metrics>,
    open: Mutex<HashMap<String, Arc<Session>>>,
}

impl Sessions {
    /// Holds up to a number of uploads.
    pub(crate) fn new(options: &RegistryOptions) -> Self {
        Self {
            limit: options.uploads,
            metrics: Arc::clone(&options.metrics),
            open: Mutex::default(),
        }
    }

    /// Opens an upload; `None` if too many are open.
    pub(crate) fn open(
        &self,
        depot: &Depot,
        repository: &Repository,
        algorithm: Algorithm,
    ) -> Result<Option<Arc<Session>>, RegistryError> {
        let upload = Upload::begin(depot, repository, algorithm)?;
        let session = Arc::new(Session {
            id: upload.name(),
            repository: repository.clone(),
            upload: Arc::new(tokio::sync::Mutex::new(Some(upload))),
            turn: watch::Sender::new(0),
            touched: Mutex::new(Instant::now()),
        });
        let mut open = lock(&self.open);
        if open.len() >= self.limit {
            return Ok(None);
        }
        open.insert(session.id.clone(), Arc::clone(&session));
        self.count(&open);
        Ok(Some(session))
    }

    /// Finds an open upload of a repository.
    pub(crate) fn find(&self, repository: &Repository, id: &str) -> Option<Arc<Session>> {
        let open = lock(&self.open);
        open.get(id)
            .filter(|session| session.repository == *repository)
            .cloned()
    }

    /// Forgets an upload; its file vanishes with the last who holds it.
    pub(crate) fn close(&self, session: &Session) {
        let mut open = lock(&self.open);
        open.remove(&session.id);
        self.count(&open);
    }

    /// The repositories that uploads are open to.
    pub(crate) fn repositories(&self) -> HashSet<Repository> {
        let open = lock(&self.open);
        open.values()
            .map(|session| session.repository.clone())
            .collect()
    }

    fn count(&self, open: &HashMap<String, Arc<Session>>) {
        let count = open.len() as u64;
        self.metrics.uploads.store(count, Ordering::Relaxed);
    }

    /// Forgets uploads that nobody came back to.
    pub(crate) fn expire(&self, limit: Duration) {
        let mut open = lock(&self.open);
        open.retain(|_, session| !session.is_idle(limit));
        self.count(&open);
    }
}

/// Nothing panics while it holds one of these locks half-changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
