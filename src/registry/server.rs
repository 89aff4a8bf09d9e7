//! Connections: accepted up to a number, served until they or the registry end.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::access::Policy;
use super::api::{Service, answer};
use super::depot::Depot;
use super::observe::Counting;
use super::tls::Tls;
use super::wire::{Connection, Hosts};
use super::{RegistryError, RegistryOptions};
use crate::Result;
use crate::store::on_thread;

/// The read buffer of a connection, and so the longest chunk of a body, in bytes: small enough
/// that a chunk is still in the processor's cache when it is written and hashed.
const BUFFER: usize = 128 * 1024;
/// How often abandoned uploads are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// How often it is looked whether the file of users has changed.
const REFRESH: Duration = Duration::from_secs(1);
/// The pause after an accept that failed, as when there are no file descriptors left.
const RECOVERY: Duration = Duration::from_millis(100);

/// A registry that is ready to serve: its store is open and locked, its users and certificate are
/// read.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    service: Arc<Service>,
    tls: Option<Tls>,
    grace: Duration,
}

/// Serves a store on a listener until `shutdown` is ready; then requests in work may end.
///
/// Fails as [`Server::open`] does.
pub async fn serve(
    listener: TcpListener,
    options: RegistryOptions,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    Server::open(listener, options).await?.serve(shutdown).await;
    Ok(())
}

impl Server {
    /// Reads everything that is needed from disk. Clients that connect meanwhile wait.
    ///
    /// Fails if the store, the users or the certificate cannot be used, or if another process
    /// serves the store.
    pub async fn open(listener: TcpListener, options: RegistryOptions) -> Result<Self> {
        let address = listener.local_addr().map_err(RegistryError::Listen)?;
        let grace = options.grace;
        let open = move || {
            let tls = options.tls.as_ref().map(Tls::load).transpose()?;
            let policy = Policy::open(&options)?;
            let depot = Depot::open(&options)?;
            let hosts = Hosts::new(address, &options);
            let service = Service::new(depot, (hosts, policy), options);
            Ok::<_, RegistryError>((Arc::new(service), tls))
        };
        let (service, tls) = on_thread(open).await?;
        Ok(Self {
            listener,
            service,
            tls,
            grace,
        })
    }

    /// Serves until `shutdown` is ready; then requests in work may end.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let service = &self.service;
        let graceful = GracefulShutdown::new();
        tokio::select! {
            () = accept(self.listener, (service, self.tls), &graceful) => {}
            () = keep_house(service) => {}
            () = watch_users(service) => {}
            () = collect_garbage(service) => {}
            () = shutdown => {}
        }
        if tokio::time::timeout(self.grace, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("requests were still in work when the registry stopped");
        }
    }
}

async fn accept(
    listener: TcpListener,
    (service, tls): (&Arc<Service>, Option<Tls>),
    graceful: &GracefulShutdown,
) {
    let free = Arc::new(Semaphore::new(service.connections()));
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, client)) => {
                let guest = Guest {
                    service: Arc::clone(service),
                    client,
                    watcher: graceful.watcher(),
                    _open: service.count_connection(),
                    _permit: permit,
                };
                tokio::spawn(welcome(stream, tls.clone(), guest));
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

/// Collects garbage from time to time; never, where nobody asked for it.
async fn collect_garbage(service: &Arc<Service>) {
    let Some(collection) = service.collection() else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(collection.interval).await;
        let service = Arc::clone(service);
        let collecting = move || service.collect(collection.keep);
        if tokio::task::spawn_blocking(collecting).await.is_err() {
            tracing::error!("a garbage collection was given up");
        }
    }
}

/// Reads the users again when their file has changed.
async fn watch_users(service: &Arc<Service>) {
    let mut times = tokio::time::interval(REFRESH);
    loop {
        times.tick().await;
        let service = Arc::clone(service);
        // A panic in it is told by the runtime, and the users stay as they were.
        let _ = tokio::task::spawn_blocking(move || service.refresh_users()).await;
    }
}

/// What belongs to one connection for as long as it lasts.
struct Guest {
    service: Arc<Service>,
    client: SocketAddr,
    watcher: Watcher,
    _open: Counting,
    _permit: OwnedSemaphorePermit,
}

/// Encrypts a connection where it has to be, and answers its requests.
async fn welcome(stream: TcpStream, tls: Option<Tls>, guest: Guest) {
    // Answers are written whole; waiting for more to send only delays the last part.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return converse(stream, guest).await;
    };
    match tls.accept(stream, guest.service.patience()).await {
        Ok(stream) => converse(stream, guest).await,
        Err(error) => tracing::debug!("no TLS with {}: {error}", guest.client),
    }
}

/// Answers the requests of one connection.
async fn converse<S>(stream: S, guest: Guest)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let patience = guest.service.patience();
    let (service, client) = (guest.service, guest.client);
    let answering = service_fn(move |request: Request<Incoming>| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(answer(service, request, client).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(Connection::new(stream, patience)), answering);
    if let Err(error) = guest.watcher.watch(connection).await {
        tracing::debug!("a connection broke: {error}");
    }
}
