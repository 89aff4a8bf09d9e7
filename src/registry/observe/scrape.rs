//! The counters on an address of their own, where the registry's users and rights play no part.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::Metrics;
use crate::registry::wire::{document, empty, set};

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS: usize = 16;
/// How long a connection may take in all: who scrapes asks once and reads a few kilobytes.
const LIMIT: Duration = Duration::from_secs(10);
/// The content type of the text form.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers `GET /metrics` on a listener until `shutdown` is ready.
pub async fn serve_metrics(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    shutdown: impl Future<Output = ()>,
) {
    tokio::select! {
        () = accept(&listener, &metrics) => {}
        () = shutdown => {}
    }
}

async fn accept(listener: &TcpListener, metrics: &Arc<Metrics>) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(permit) = Arc::clone(&free).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let metrics = Arc::clone(metrics);
                tokio::spawn(async move {
                    let _permit = permit;
                    let _ = timeout(LIMIT, converse(stream, metrics)).await;
                });
            }
            Err(error) => {
                tracing::warn!("a connection for metrics was not accepted: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, metrics: Arc<Metrics>) {
    let answering = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request, &metrics);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answering);
    if let Err(error) = connection.await {
        tracing::debug!("a connection for metrics broke: {error}");
    }
}

fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<Body> {
    if request.uri().path() != "/metrics" {
        return empty(StatusCode::NOT_FOUND);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
        set(&mut response, header::ALLOW, "GET, HEAD");
        return response;
    }
    document(TEXT, metrics.text().into_bytes())
}
