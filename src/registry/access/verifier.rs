//! Checks passwords: the costly part of letting somebody in, and so the bounded one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::htpasswd::Users;
use crate::oci::Digest;
use crate::registry::RegistryError;

/// Checks at a time: a flood of wrong passwords leaves the other processors to those inside.
const AT_ONCE: usize = 2;
/// Checks that may wait for their turn; further requests are told to come back.
const WAITING: usize = 64;

/// What became of a name and a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They are right.
    Right,
    /// There is no such user, or it is another password.
    Wrong,
    /// Too many are being checked.
    Busy,
}

/// The users of a file, which is read again when it has changed.
#[derive(Debug)]
pub(super) struct Verifier {
    path: PathBuf,
    state: Mutex<State>,
    checks: Semaphore,
    queue: Semaphore,
}

#[derive(Debug)]
struct State {
    users: Arc<Users>,
    /// When the file changed, and its length.
    version: Option<(SystemTime, u64)>,
    /// By user: the digest of hash and password that were found to belong together.
    known: HashMap<String, Digest>,
}

impl Verifier {
    /// Reads the file.
    pub(super) fn open(path: &Path) -> Result<Self, RegistryError> {
        let version = version(path);
        let users = Arc::new(Users::read(path)?);
        Ok(Self {
            path: path.to_owned(),
            state: Mutex::new(State {
                users,
                version,
                known: HashMap::new(),
            }),
            checks: Semaphore::new(AT_ONCE),
            queue: Semaphore::new(AT_ONCE + WAITING),
        })
    }

    /// Whether there is such a user.
    pub(super) fn has(&self, user: &str) -> bool {
        self.state().users.has(user)
    }

    /// Reads the file again if it has changed. One that cannot be used changes nothing.
    pub(super) fn refresh(&self) {
        let version = version(&self.path);
        if self.state().version == version {
            return;
        }
        match Users::read(&self.path) {
            Ok(users) => {
                let mut state = self.state();
                state.users = Arc::new(users);
                state.known.clear();
                state.version = version;
            }
            Err(error) => {
                self.state().version = version;
                tracing::error!("the users stay as they were: {error}");
            }
        }
    }

    /// Checks a password.
    pub(super) async fn verify(&self, user: &str, password: Zeroizing<String>) -> Verdict {
        let users = Arc::clone(&self.state().users);
        let hash = users.hash_of(user).map(str::to_owned);
        let proof = hash.as_deref().map(|hash| proof(hash, &password));
        if let Some(proof) = &proof
            && self.knows(user, proof)
        {
            return Verdict::Right;
        }
        let Ok(_place) = self.queue.try_acquire() else {
            return Verdict::Busy;
        };
        let Ok(_turn) = self.checks.acquire().await else {
            return Verdict::Busy;
        };
        // An unknown name takes as long as a known one.
        let is_known = hash.is_some();
        let hash = hash.or_else(|| users.any_hash().map(str::to_owned));
        let check = move || {
            let hash = hash.unwrap_or_default();
            bcrypt::verify(password.as_bytes(), &hash).unwrap_or(false)
        };
        let is_right = tokio::task::spawn_blocking(check).await.unwrap_or(false);
        match proof {
            Some(proof) if is_known && is_right => {
                self.remember(&users, user, proof);
                Verdict::Right
            }
            _ => Verdict::Wrong,
        }
    }

    fn knows(&self, user: &str, proof: &Digest) -> bool {
        let state = self.state();
        let known = state.known.get(user).map(Digest::hex);
        known.is_some_and(|known| known.as_bytes().ct_eq(proof.hex().as_bytes()).into())
    }

    /// Remembers a right password, unless the users were read again meanwhile. There is one for
    /// each user at most.
    fn remember(&self, users: &Arc<Users>, user: &str, proof: Digest) {
        let mut state = self.state();
        if Arc::ptr_eq(&state.users, users) {
            state.known.insert(user.to_owned(), proof);
        }
    }

    /// Nothing panics while it holds this lock.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a hash and a password that belong together are known by. The hash holds the salt.
fn proof(hash: &str, password: &str) -> Digest {
    let text = Zeroizing::new(format!("{hash}\n{password}"));
    Digest::sha256(text.as_bytes())
}

fn version(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
