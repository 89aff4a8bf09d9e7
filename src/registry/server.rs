//! Connections: accepted up to a number, served until they or the registry end.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::api::{Service, answer};
use super::depot::Depot;
use super::wire::{Connection, Hosts};
use super::{RegistryError, RegistryOptions};
use crate::Result;
use crate::store::on_thread;

/// The read buffer of a connection, and so the longest chunk of a body, in bytes: small enough
/// that a chunk is still in the processor's cache when it is written and hashed.
const BUFFER: usize = 128 * 1024;
/// How often abandoned uploads are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// The pause after an accept that failed, as when there are no file descriptors left.
const RECOVERY: Duration = Duration::from_millis(100);

/// Serves a store on a listener until `shutdown` is ready; then requests in work may end.
///
/// Fails at once if the store cannot be opened or another process serves it.
pub async fn serve(
    listener: TcpListener,
    options: RegistryOptions,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let store = options.store.clone();
    let depot = on_thread(move || Depot::open(&store)).await?;
    let address = listener.local_addr().map_err(RegistryError::Listen)?;
    let hosts = Hosts::new(address, &options);
    let grace = options.grace;
    let service = Arc::new(Service::new(depot, hosts, options));
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = accept(listener, &service, &graceful) => {}
        () = keep_house(&service) => {}
        () = shutdown => {}
    }
    if tokio::time::timeout(grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were still in work when the registry stopped");
    }
    Ok(())
}

async fn accept(listener: TcpListener, service: &Arc<Service>, graceful: &GracefulShutdown) {
    let free = Arc::new(Semaphore::new(service.connections()));
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let watcher = graceful.watcher();
                tokio::spawn(converse(stream, Arc::clone(service), watcher, permit));
            }
            Err(error) => {
                tracing::warn!("a connection was not accepted: {error}");
                tokio::time::sleep(RECOVERY).await;
            }
        }
    }
}

async fn keep_house(service: &Service) {
    let mut times = tokio::time::interval(HOUSEKEEPING);
    loop {
        times.tick().await;
        service.expire_uploads();
    }
}

/// Answers the requests of one connection.
async fn converse(
    stream: TcpStream,
    service: Arc<Service>,
    watcher: Watcher,
    _permit: OwnedSemaphorePermit,
) {
    // Answers are written whole; waiting for more to send only delays the last part.
    let _ = stream.set_nodelay(true);
    let patience = service.patience();
    let answering = service_fn(move |request: Request<Incoming>| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(answer(service, request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(Connection::new(stream, patience)), answering);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!("a connection broke: {error}");
    }
}
