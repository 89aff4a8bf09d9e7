//! Blobs in flight: the one scheduler of everything that moves blobs.
//!
//! ```text
//! items, as they come ──▶ at most `limit` in flight ──▶ outcomes
//!                              │          ▲
//!                        Moved │          │ more, while one connection is slow and more of them
//!                              ▼          │ move more in all
//!                          every 100 ms: Limit
//! ```
//!
//! An item is only taken when there is room for it, so that who makes items is never far ahead. An
//! error ends the flight: what is still in the air is dropped, and so cancelled.

mod limit;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use limit::Limit;

/// How often the rate is looked at: several round trips of most links.
const WINDOW: Duration = Duration::from_millis(100);

/// What an item counts that has landed, in bytes, whatever its length. Without it, a run of blobs
/// that need not move would look like a link on which nothing does.
const LANDED: u64 = 64 * 1024;

/// How many blobs are in flight at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Jobs {
    /// As many as the machine and the link can use: a few at first, more while each connection is
    /// slow and more of them move more, never more on a fast link. On the way to a registry that is
    /// far, more from the start.
    #[default]
    Auto,
    /// This many; at least one is.
    Fixed(usize),
}

/// Counts bytes of items in flight while they move, from any thread; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moved(Arc<AtomicU64>);

impl Moved {
    /// This many bytes more have moved. What is sent again counts again.
    pub(crate) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn sum(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The items by size, the largest first: none of them is then left alone at the end.
pub(crate) fn largest_first<T>(
    mut items: Vec<T>,
    size: impl Fn(&T) -> u64,
) -> impl Stream<Item = T> {
    items.sort_by_key(|item| Reverse(size(item)));
    stream::iter(items)
}

/// Works on items in the order in which they come, several at a time, and hands on the outcomes.
/// The work adds to its counter what it moves. `is_far` says whether items go a
/// long way over one connection each, and is asked again while they do: a registry shows it late.
///
/// # Errors
/// The first of the work or of `landed`; nothing is in flight any more then.
pub(crate) async fn fly<T, O, E, F: Future<Output = Result<O, E>>>(
    items: impl Stream<Item = T>,
    (jobs, is_far): (Jobs, impl Fn() -> bool),
    work: impl Fn(T, Moved) -> F,
    mut landed: impl FnMut(O) -> Result<(), E>,
) -> Result<(), E> {
    let mut items = pin!(items.fuse());
    let mut flying = FuturesUnordered::new();
    let mut limit = Limit::new(jobs);
    limit.reach(is_far());
    let moved = Moved::default();
    let mut window = (Instant::now(), 0);
    let mut windows = interval_at(window.0 + WINDOW, WINDOW);
    windows.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_done = false;
    while !(is_done && flying.is_empty()) {
        let has_room = flying.len() < limit.now();
        tokio::select! {
            biased;
            Some(outcome) = flying.next() => {
                landed(outcome?)?;
                moved.add(LANDED);
            }
            item = items.next(), if has_room && !is_done => match item {
                Some(item) => flying.push(work(item, moved.clone())),
                None => is_done = true,
            },
            now = windows.tick(), if limit.is_adaptive() => {
                let sum = moved.sum();
                limit.reach(is_far());
                limit.observe(sum - window.1, now - window.0, !has_room);
                window = (now, sum);
            }
        }
    }
    Ok(())
}
