//! Between those who rely on a content and the collection that removes what nobody needs.
//!
//! Whoever tells a client that a content is there, or stores what needs it, does so with a
//! [`Presence::rely`] in hand and notes the digest. A collection notes nothing and removes only
//! with [`Presence::remove`] in hand what was not noted since it began. So a content that a client
//! was told of is not removed on the grounds of what was known before.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::oci::Digest;

/// Who is relying on what.
#[derive(Debug, Default)]
pub(super) struct Presence {
    contents: RwLock<()>,
    /// What was relied on since the collection in work began; `None` where there is none.
    noted: Mutex<Option<HashSet<Digest>>>,
}

impl Presence {
    /// Keeps every content where it is until the guard is dropped.
    pub(super) fn rely(&self) -> RwLockReadGuard<'_, ()> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody relies on anything.
    pub(super) fn remove(&self) -> RwLockWriteGuard<'_, ()> {
        let guard = self.contents.write();
        guard.unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a content is relied on. The caller has a guard of [`Presence::rely`].
    pub(super) fn note(&self, digest: &Digest) {
        self.with(|noted| {
            if let Some(noted) = noted {
                noted.insert(*digest);
            }
        });
    }

    /// Whether a content was noted since [`Presence::begin`].
    pub(super) fn is_noted(&self, digest: &Digest) -> bool {
        self.with(|noted| noted.as_ref().is_some_and(|noted| noted.contains(digest)))
    }

    /// Begins to note. Whatever was relied on before is on disk by then.
    pub(super) fn begin(&self) -> Noting<'_> {
        let _nobody = self.remove();
        self.with(|noted| *noted = Some(HashSet::new()));
        Noting(self)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Option<HashSet<Digest>>) -> T) -> T {
        act(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Notes are taken until this is dropped.
#[derive(Debug)]
pub(super) struct Noting<'a>(&'a Presence);

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        self.0.with(|noted| *noted = None);
    }
}
