//! What can be seen from outside of a registry at work: a line for each request, and counters.
//!
//! A request becomes an [`Exchange`], which goes with its answer until the last byte is sent or the
//! client is gone; then it is counted and told once. Names of repositories never become labels of
//! counters, and no header, query or body is ever told.

mod counted;
mod exchange;
mod metrics;
mod record;
mod scrape;

pub(super) use counted::{received, sent};
pub(super) use exchange::{Exchange, Route};
pub(super) use metrics::Counting;
pub use metrics::Metrics;
pub use record::{AccessLog, Record};
pub use scrape::serve_metrics;
