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

/// Makes a reader fail as soon as the returned guard is gone, so that a push whose future was
/// dropped does not go on in the background.
pub(super) fn cancellable<R>(inner: R) -> (Arc<()>, Cancellable<R>) {
    let guard = Arc::new(());
    let wanted = Arc::downgrade(&guard);
    (guard, Cancellable { inner, wanted })
}

/// A reader that fails when nobody waits for its content any more.
pub(super) struct Cancellable<R> {
    inner: R,
    wanted: Weak<()>,
}

impl<R: Read> Read for Cancellable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.wanted.strong_count() == 0 {
            return Err(io::Error::other("cancelled"));
        }
        self.inner.read(buffer)
    }
}
