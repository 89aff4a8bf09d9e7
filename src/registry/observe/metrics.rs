//! Counters in the text form of Prometheus.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Route;

/// The upper bounds of the buckets of the histogram, in seconds: an existence check takes
/// milliseconds, a blob on a slow link minutes.
const BOUNDS: [f64; 11] = [
    0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0,
];
/// Methods that are told apart; a client can make up any other.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"];

/// What a registry has done so far. One may be shared by several.
#[derive(Debug, Default)]
pub struct Metrics {
    counted: Mutex<Counted>,
    /// Connections that are open.
    pub(in crate::registry) connections: AtomicU64,
    /// Uploads that are open, in work or waiting for their client.
    pub(in crate::registry) uploads: AtomicU64,
    /// Bytes of the blobs and manifests that are stored.
    pub(in crate::registry) stored: AtomicU64,
    /// Collections that came to their end.
    pub(in crate::registry) collections: AtomicU64,
    /// Bytes that they freed.
    pub(in crate::registry) freed: AtomicU64,
}

/// Something that is open, and counted for as long as it is.
#[derive(Debug)]
pub(crate) struct Counting {
    metrics: Arc<Metrics>,
}

impl Counting {
    /// Counts a connection.
    pub(crate) fn connection(metrics: &Arc<Metrics>) -> Self {
        metrics.connections.fetch_add(1, Ordering::Relaxed);
        Self {
            metrics: Arc::clone(metrics),
        }
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.metrics.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct Counted {
    requests: BTreeMap<(&'static str, &'static str, u16), u64>,
    durations: BTreeMap<&'static str, Histogram>,
    received: u64,
    sent: u64,
}

#[derive(Debug, Default)]
struct Histogram {
    /// Requests by the first bound that they kept to; the last place is for those beyond all.
    buckets: [u64; BOUNDS.len() + 1],
    sum: f64,
}

/// A request that is over.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) route: Route,
    pub(super) status: u16,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) duration: Duration,
}

impl Metrics {
    pub(super) fn count(&self, request: &Request<'_>) {
        let mut counted = self.counted();
        let method = METHODS.iter().find(|it| **it == request.method);
        let labels = (
            method.copied().unwrap_or("other"),
            label(request.route),
            request.status,
        );
        *counted.requests.entry(labels).or_default() += 1;
        counted.received += request.received;
        counted.sent += request.sent;
        let seconds = request.duration.as_secs_f64();
        let at = BOUNDS.iter().position(|bound| seconds <= *bound);
        let histogram = counted.durations.entry(labels.1).or_default();
        histogram.buckets[at.unwrap_or(BOUNDS.len())] += 1;
        histogram.sum += seconds;
    }

    /// Nothing panics while it holds this lock.
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it, as `GET /metrics` answers.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text)
            .expect("writing into a String never fails");
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        let counted = self.counted();
        head(text, "requests_total", "counter", "Requests that are over")?;
        for ((method, route, status), count) in &counted.requests {
            writeln!(
                text,
                "modelctl_registry_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            )?;
        }
        let name = "request_duration_seconds";
        head(text, name, "histogram", "From head to end of answer")?;
        for (route, histogram) in &counted.durations {
            histogram.write(text, &format!("modelctl_registry_{name}"), route)?;
        }
        let (received, sent) = (counted.received, counted.sent);
        drop(counted);
        let at = |value: &AtomicU64| value.load(Ordering::Relaxed);
        for (name, kind, help, value) in [
            (
                "received_bytes_total",
                "counter",
                "Request bodies",
                received,
            ),
            ("sent_bytes_total", "counter", "Answer bodies", sent),
            (
                "collections_total",
                "counter",
                "Garbage collections",
                at(&self.collections),
            ),
            (
                "collected_bytes_total",
                "counter",
                "Bytes they freed",
                at(&self.freed),
            ),
            (
                "connections_open",
                "gauge",
                "Open connections",
                at(&self.connections),
            ),
            ("uploads_open", "gauge", "Open uploads", at(&self.uploads)),
            (
                "stored_bytes",
                "gauge",
                "Blobs and manifests",
                at(&self.stored),
            ),
        ] {
            head(text, name, kind, help)?;
            writeln!(text, "modelctl_registry_{name} {value}")?;
        }
        Ok(())
    }
}

impl Histogram {
    fn write(&self, text: &mut String, name: &str, route: &str) -> fmt::Result {
        let mut count = 0;
        for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
            count += bucket;
            writeln!(
                text,
                "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {count}"
            )?;
        }
        count += self.buckets[BOUNDS.len()];
        writeln!(
            text,
            "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {count}"
        )?;
        writeln!(text, "{name}_sum{{route=\"{route}\"}} {}", self.sum)?;
        writeln!(text, "{name}_count{{route=\"{route}\"}} {count}")
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP modelctl_registry_{name} {help}.")?;
    writeln!(text, "# TYPE modelctl_registry_{name} {kind}")
}

fn label(route: Route) -> &'static str {
    match route {
        Route::Root => "root",
        Route::Catalog => "catalog",
        Route::Blob => "blob",
        Route::Uploads => "uploads",
        Route::Upload => "upload",
        Route::Manifest => "manifest",
        Route::Tags => "tags",
        Route::Referrers => "referrers",
        Route::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up_and_labels_are_bounded() {
        let metrics = Metrics::default();
        for (method, seconds) in [("GET", 0.002), ("GET", 0.001), ("BREW", 1e6)] {
            metrics.count(&Request {
                method,
                route: Route::Blob,
                status: 200,
                received: 1,
                sent: 10,
                duration: Duration::from_secs_f64(seconds),
            });
        }
        let text = metrics.text();
        for line in [
            "modelctl_registry_requests_total{method=\"GET\",route=\"blob\",status=\"200\"} 2",
            "modelctl_registry_requests_total{method=\"other\",route=\"blob\",status=\"200\"} 1",
            "modelctl_registry_request_duration_seconds_bucket{route=\"blob\",le=\"0.001\"} 1",
            "modelctl_registry_request_duration_seconds_bucket{route=\"blob\",le=\"0.005\"} 2",
            "modelctl_registry_request_duration_seconds_bucket{route=\"blob\",le=\"1800\"} 2",
            "modelctl_registry_request_duration_seconds_bucket{route=\"blob\",le=\"+Inf\"} 3",
            "modelctl_registry_request_duration_seconds_count{route=\"blob\"} 3",
            "modelctl_registry_received_bytes_total 3",
            "modelctl_registry_sent_bytes_total 30",
            "modelctl_registry_uploads_open 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }
}
