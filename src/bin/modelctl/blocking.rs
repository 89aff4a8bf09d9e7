//! Work that blocks, on a thread of its own, so that a signal still ends the command at once.

use std::panic::resume_unwind;

/// Runs it there.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Only a runtime that shuts down cancels, and then nobody polls this.
            Err(_) => std::future::pending().await,
        },
    }
}
