//! From a request to its handler.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Request, Response, StatusCode, header};
use tokio::sync::Semaphore;

use super::query::Query;
use super::respond::{Code, Failure, empty, set, value_of};
use super::route::Endpoint;
use super::{blobs, body, manifests, referrers, tags, uploads};
use crate::registry::depot::{Depot, Sessions};
use crate::registry::hosts::Hosts;
use crate::registry::{RegistryError, RegistryOptions};

/// What every request works on.
#[derive(Debug)]
pub(in crate::registry) struct Service {
    pub(super) depot: Depot,
    pub(super) sessions: Sessions,
    pub(super) receivers: Semaphore,
    pub(super) options: RegistryOptions,
    hosts: Hosts,
}

impl Service {
    /// A service over an open depot.
    pub(in crate::registry) fn new(depot: Depot, hosts: Hosts, options: RegistryOptions) -> Self {
        Self {
            depot,
            sessions: Sessions::new(options.uploads),
            receivers: Semaphore::new(options.receivers),
            options,
            hosts,
        }
    }

    /// How many connections there may be.
    pub(in crate::registry) fn connections(&self) -> usize {
        self.options.connections
    }

    /// How long a client may keep the registry waiting.
    pub(in crate::registry) fn patience(&self) -> Duration {
        self.options.patience
    }

    /// Forgets uploads that nobody came back to.
    pub(in crate::registry) fn expire_uploads(&self) {
        self.sessions.expire(self.options.upload_life);
    }

    /// Runs something that blocks on the depot.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, Failure> {
        let service = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&service)).await {
            Ok(result) => result.map_err(Failure::from),
            Err(error) => {
                tracing::error!("a request was given up: {error}");
                Err(Failure::new(Code::Unknown, "the registry gave up"))
            }
        }
    }
}

/// The head of a request, as handlers need it.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) parts: Parts,
    pub(super) query: Query,
}

impl Head {
    /// A header, if it is there and text.
    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// The announced length of the body in bytes.
    pub(super) fn content_length(&self) -> Option<u64> {
        self.header(header::CONTENT_LENGTH)?.parse().ok()
    }

    /// Whether only the head of the answer is wanted.
    pub(super) fn is_head(&self) -> bool {
        self.parts.method == Method::HEAD
    }
}

/// Answers a request.
pub(in crate::registry) async fn answer(
    service: Arc<Service>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, mut content) = request.into_parts();
    let query = Query::parse(parts.uri.query());
    let head = Head { parts, query };
    match dispatch(&service, &head, &mut content).await {
        Ok(response) => response,
        Err(failure) => {
            body::discard(&head, content).await;
            failure.into_response()
        }
    }
}

async fn dispatch(
    service: &Arc<Service>,
    head: &Head,
    content: &mut Body,
) -> Result<Response<Body>, Failure> {
    if !service.hosts.accept(&head.parts) {
        let message = "this host name is not one of the registry's; add it to the accepted hosts";
        return Err(
            Failure::new(Code::Denied, message).with_status(StatusCode::MISDIRECTED_REQUEST)
        );
    }
    let endpoint = Endpoint::parse(head.parts.uri.path())?;
    let method = head.parts.method.as_str();
    match (endpoint, method) {
        (Endpoint::Root, "GET" | "HEAD") => Ok(root()),
        (Endpoint::Blob(name, digest), "GET" | "HEAD") => {
            blobs::get(service, head, name, digest).await
        }
        (Endpoint::Blob(name, digest), "DELETE") => blobs::delete(service, name, digest).await,
        (Endpoint::Uploads(name), "POST") => uploads::begin(service, head, name, content).await,
        (Endpoint::Upload(name, id), "PATCH") => {
            let session = uploads::find(service, &name, &id)?;
            uploads::append(service, head, session, content).await
        }
        (Endpoint::Upload(name, id), "PUT") => {
            let session = uploads::find(service, &name, &id)?;
            uploads::finish(service, head, session, content).await
        }
        (Endpoint::Upload(name, id), "GET") => {
            uploads::status(uploads::find(service, &name, &id)?).await
        }
        (Endpoint::Upload(name, id), "DELETE") => {
            uploads::cancel(service, uploads::find(service, &name, &id)?).await
        }
        (Endpoint::Manifest(name, target), "GET" | "HEAD") => {
            manifests::get(service, head, name, target).await
        }
        (Endpoint::Manifest(name, target), "PUT") => {
            manifests::put(service, head, (name, target), content).await
        }
        (Endpoint::Manifest(name, target), "DELETE") => {
            manifests::delete(service, name, target).await
        }
        (Endpoint::Tags(name), "GET" | "HEAD") => tags::list(service, head, name).await,
        (Endpoint::Referrers(name, subject), "GET" | "HEAD") => {
            referrers::list(service, head, name, subject).await
        }
        (endpoint, _) => Err(not_allowed(&endpoint)),
    }
}

/// `GET /v2/`: yes, this is a registry.
fn root() -> Response<Body> {
    let mut response = empty(StatusCode::OK);
    let version = header::HeaderName::from_static("docker-distribution-api-version");
    set(&mut response, version, "registry/2.0");
    response
}

fn not_allowed(endpoint: &Endpoint) -> Failure {
    let allow = match endpoint {
        Endpoint::Root | Endpoint::Tags(_) | Endpoint::Referrers(..) => "GET, HEAD",
        Endpoint::Blob(..) => "GET, HEAD, DELETE",
        Endpoint::Uploads(_) => "POST",
        Endpoint::Upload(..) => "GET, PATCH, PUT, DELETE",
        Endpoint::Manifest(..) => "GET, HEAD, PUT, DELETE",
    };
    Failure::new(Code::Unsupported, format!("this path takes {allow}"))
        .with_header(header::ALLOW, value_of(allow))
}
