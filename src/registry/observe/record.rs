//! One request, as a log tells it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A request that is over. Nothing in it is secret: no header, no query, no body, and of an
/// upload's name only the beginning.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Record {
    /// When it came in.
    pub time: SystemTime,
    /// Who sent it.
    pub client: SocketAddr,
    /// The user whose password was right.
    pub user: Option<String>,
    /// The method.
    pub method: String,
    /// The path without the query, as it was sent: visible ASCII.
    pub path: String,
    /// The status of the answer; 499 where the client was gone before there was one.
    pub status: u16,
    /// Bytes of the request's body that arrived.
    pub received: u64,
    /// Bytes of the answer's body that were sent.
    pub sent: u64,
    /// From the head of the request to the end of the answer.
    pub duration: Duration,
}

/// Where records go: called once for each request, on the thread that served it, so that it must
/// not block.
#[derive(Clone)]
pub struct AccessLog(Arc<dyn Fn(&Record) + Send + Sync>);

impl AccessLog {
    /// Hands each record to a function.
    pub fn new(tell: impl Fn(&Record) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn tell(&self, record: &Record) {
        (self.0)(record);
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessLog(..)")
    }
}
