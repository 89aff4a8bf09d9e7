//! Shows what moves while it moves: bars on a terminal, a line now and then where nobody watches,
//! events with `--json`, nothing with `--quiet`.
//!
//! The library tells a [`Progress`](modelctl::store::Progress) about each blob; what it shows is gone
//! when it is dropped.

mod bars;
mod events;
mod hashing;
mod lines;
mod screen;
mod tally;
mod watch;

pub(crate) use events::{log as log_event, warning as warning_event};
pub(crate) use hashing::show_hashing;
pub(crate) use screen::{Stderr, clear};
pub(crate) use watch::{size_of, watch};
