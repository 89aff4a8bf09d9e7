//! A request and its answer, from the first to the last byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use axum::http::request::Parts;

use super::record::{AccessLog, Record};
use super::{Metrics, metrics};

/// The status of nginx's logs for a client that did not wait.
const CLIENT_GONE: u16 = 499;
/// How much of an upload's name is told: enough to find its requests, too little to use it.
const TOLD_OF_UPLOAD: usize = 16;

/// What kind of path was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Route {
    Root,
    Catalog,
    Blob,
    Uploads,
    Upload,
    Manifest,
    Tags,
    Referrers,
    /// None of the distribution API.
    #[default]
    Other,
}

/// A request on its way; it is counted and told when it is dropped.
#[derive(Debug)]
pub(crate) struct Exchange {
    metrics: Arc<Metrics>,
    log: Option<AccessLog>,
    client: SocketAddr,
    time: SystemTime,
    begin: Instant,
    method: String,
    path: String,
    pub(super) received: AtomicU64,
    pub(super) sent: AtomicU64,
    learned: Mutex<Learned>,
}

/// What is known only when a request is answered.
#[derive(Debug, Default)]
struct Learned {
    route: Route,
    user: Option<String>,
    status: Option<u16>,
}

impl Exchange {
    /// Begins with the head of a request.
    pub(crate) fn begin(
        metrics: Arc<Metrics>,
        log: Option<AccessLog>,
        client: SocketAddr,
        request: &Parts,
    ) -> Arc<Self> {
        Arc::new(Self {
            metrics,
            log,
            client,
            time: SystemTime::now(),
            begin: Instant::now(),
            method: request.method.as_str().to_owned(),
            path: request.uri.path().to_owned(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            learned: Mutex::default(),
        })
    }

    /// Notes what was asked for.
    pub(crate) fn is_for(&self, route: Route) {
        self.learn(|learned| learned.route = route);
    }

    /// Notes whose request it is.
    pub(crate) fn is_of(&self, user: Option<String>) {
        self.learn(|learned| learned.user = user);
    }

    /// Notes how it is answered.
    pub(crate) fn is_answered(&self, status: u16) {
        self.learn(|learned| learned.status = Some(status));
    }

    fn learn(&self, note: impl FnOnce(&mut Learned)) {
        note(&mut self.learned.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let learned = self.learned.get_mut();
        let learned = std::mem::take(learned.unwrap_or_else(PoisonError::into_inner));
        let status = learned.status.unwrap_or(CLIENT_GONE);
        let (received, sent) = (
            self.received.load(Ordering::Relaxed),
            self.sent.load(Ordering::Relaxed),
        );
        let duration = self.begin.elapsed();
        self.metrics.count(&metrics::Request {
            method: &self.method,
            route: learned.route,
            status,
            received,
            sent,
            duration,
        });
        if let Some(log) = &self.log {
            log.tell(&Record {
                time: self.time,
                client: self.client,
                user: learned.user,
                method: std::mem::take(&mut self.method),
                path: told(std::mem::take(&mut self.path), learned.route),
                status,
                received,
                sent,
                duration,
            });
        }
    }
}

/// A path as it is told: whoever knows the whole name of an upload can change it.
fn told(mut path: String, route: Route) -> String {
    if route == Route::Upload
        && let Some(slash) = path.rfind('/')
        && path.is_char_boundary(slash + 1 + TOLD_OF_UPLOAD)
    {
        path.truncate(slash + 1 + TOLD_OF_UPLOAD);
        path.push_str("...");
    }
    path
}
