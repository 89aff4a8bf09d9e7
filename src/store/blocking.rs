//! The bridge from asynchronous signatures to blocking work: files and hashing stay off the reactor.

use std::io::{self, Read};
use std::sync::{Arc, Weak};

/// Runs blocking work on a thread of its own. A panic in it goes on in the caller. Only a runtime
/// that shuts down cancels the work, and then nobody waits for it any more.
pub(crate) async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

/// Makes a guard, and what tells whether it is still there: work on another thread asks, so that what
/// nobody waits for any more does not go on in the background.
pub(super) fn guard() -> (Arc<()>, Wanted) {
    let guard = Arc::new(());
    let wanted = Wanted(Arc::downgrade(&guard));
    (guard, wanted)
}

/// Makes a reader fail as soon as the returned guard is gone.
pub(super) fn cancellable<R>(inner: R) -> (Arc<()>, Cancellable<R>) {
    let (guard, wanted) = guard();
    (guard, wanted.reader(inner))
}

/// Knows whether someone waits for the outcome of some work.
#[derive(Debug, Clone)]
pub(super) struct Wanted(Weak<()>);

impl Wanted {
    /// Fails when nobody waits any more.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.0.strong_count() {
            0 => Err(io::Error::other("cancelled")),
            _ => Ok(()),
        }
    }

    /// A reader that fails when nobody waits for its content any more.
    pub(super) fn reader<R>(&self, inner: R) -> Cancellable<R> {
        Cancellable {
            inner,
            wanted: self.clone(),
        }
    }
}

/// A reader that fails when nobody waits for its content any more.
pub(super) struct Cancellable<R> {
    inner: R,
    wanted: Wanted,
}

impl<R: Read> Read for Cancellable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wanted.check()?;
        self.inner.read(buffer)
    }
}
