//! What can be seen of the embedded registry: its log and its counters.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use modelctl::registry::{AccessLog, Metrics, Record};

use crate::support::embedded::Embedded;
use crate::support::http::Request;

type Records = Arc<Mutex<Vec<Record>>>;

fn observed() -> (Embedded, Records, Arc<Metrics>) {
    let records = Records::default();
    let told = Arc::clone(&records);
    let metrics = Arc::new(Metrics::default());
    let counted = Arc::clone(&metrics);
    let registry = Embedded::with(|options| {
        options.log = Some(AccessLog::new(move |record| {
            told.lock().unwrap().push(record.clone());
        }));
        options.metrics = counted;
    });
    (registry, records, metrics)
}

/// Waits for so many records: an answer is told after its last byte was sent.
fn wait_for(records: &Records, count: usize) -> Vec<Record> {
    let begin = Instant::now();
    loop {
        let found = records.lock().unwrap().clone();
        if found.len() >= count {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{found:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn each_request_is_told_once_without_secrets() {
    let (registry, records, _) = observed();
    let digest = registry.push_blob("a", &[1; 5000]);
    let location = registry.open_upload("a");
    registry.ask("DELETE", location.as_str()).is(204);
    let secret = Request::new("GET", format!("/v2/a/blobs/{digest}?token=hush")).header(
        "Authorization",
        format!("Basic {}", STANDARD.encode("u:hush")),
    );
    secret.send(registry.address).is(200);
    registry.ask("GET", "/v2/a%1b/tags/list").is(400);
    let records = wait_for(&records, 5);
    let told: Vec<_> = records
        .iter()
        .map(|it| (it.method.as_str(), it.status, it.received, it.sent))
        .collect();
    assert_eq!(told[0], ("POST", 201, 5000, 0));
    assert_eq!(told[1], ("POST", 202, 0, 0));
    assert_eq!(told[2], ("DELETE", 204, 0, 0));
    assert_eq!(told[3], ("GET", 200, 0, 5000));
    assert_eq!((told[4].1, told.len()), (400, 5));
    assert_eq!(records[3].path, format!("/v2/a/blobs/{digest}"));
    let all = format!("{records:?}");
    assert!(
        !all.contains("hush") && !all.contains(&STANDARD.encode("u:hush")),
        "{all}"
    );
    // Whoever reads the log cannot take over an upload.
    let id = location.rsplit('/').next().unwrap();
    assert!(!all.contains(id) && all.contains(&id[..12]), "{all}");
}

#[test]
fn metrics_count_requests_bytes_and_what_is_open() {
    let (registry, records, metrics) = observed();
    registry.push_blob("some/name", &[1; 5000]);
    registry.open_upload("some/name");
    registry.ask("BREW", "/v2/some/name/tags/list").is(405);
    wait_for(&records, 3);
    let text = metrics.text();
    for line in [
        "modelctl_registry_requests_total{method=\"POST\",route=\"uploads\",status=\"201\"} 1",
        "modelctl_registry_requests_total{method=\"POST\",route=\"uploads\",status=\"202\"} 1",
        "modelctl_registry_requests_total{method=\"other\",route=\"tags\",status=\"405\"} 1",
        "modelctl_registry_received_bytes_total 5000",
        "modelctl_registry_uploads_open 1",
        "modelctl_registry_stored_bytes 5000",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(!text.contains("some/name"), "{text}");
}

#[tokio::test]
async fn metrics_are_served_on_an_address_of_their_own() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metrics = Arc::new(Metrics::default());
    let serving = modelctl::registry::serve_metrics(listener, metrics, std::future::pending());
    let asking = tokio::task::spawn_blocking(move || {
        let ask = |method: &str, target: &str| Request::new(method, target).send(address);
        let text = ask("GET", "/metrics").is(200);
        assert!(
            text.header("content-type")
                .unwrap()
                .starts_with("text/plain")
        );
        assert!(String::from_utf8(text.body).unwrap().contains("# TYPE"));
        ask("GET", "/v2/").is(404);
        ask("POST", "/metrics").is(405);
    });
    tokio::select! {
        () = serving => unreachable!("it is never told to stop"),
        asked = asking => asked.unwrap(),
    }
}
