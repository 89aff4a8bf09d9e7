//! The same work for many files, on a few threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::MaterialiseError;

/// Does the work for each item, on at most so many threads. After an error no item is begun.
pub(super) fn each<T: Sync>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<(), MaterialiseError> + Sync,
) -> Result<(), MaterialiseError> {
    let next = AtomicUsize::new(0);
    let run = || -> Result<(), MaterialiseError> {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item).inspect_err(|_| next.store(items.len(), Ordering::Relaxed))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads = threads.min(items.len());
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let ends = threads.into_iter().map(|thread| match thread.join() {
            Ok(end) => end,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        // All of them are waited for.
        ends.collect::<Vec<_>>().into_iter().collect()
    })
}
