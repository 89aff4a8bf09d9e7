//! From a request to its handler: known by a good name, let in, and only then answered.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::route::Endpoint;
use super::service::Service;
use super::{blobs, lists, manifests, referrers, uploads};
use crate::registry::access::Need;
use crate::registry::observe::{self, Exchange, Route};
use crate::registry::wire::{self, Code, Failure, Head, empty, set, value_of};

/// Answers a request of a client.
pub(in crate::registry) async fn answer(
    service: Arc<Service>,
    request: Request<Incoming>,
    client: SocketAddr,
) -> Response<Body> {
    let (parts, content) = request.into_parts();
    let (metrics, log) = (&service.options.metrics, &service.options.log);
    let exchange = Exchange::begin(Arc::clone(metrics), log.clone(), client, &parts);
    let mut content = observe::received(content, &exchange);
    let head = Head::new(parts);
    let response = match dispatch(&service, &head, &mut content, &exchange).await {
        Ok(response) => response,
        Err(failure) => {
            wire::discard(&head, content).await;
            failure.into_response()
        }
    };
    observe::sent(response, exchange)
}

async fn dispatch(
    service: &Arc<Service>,
    head: &Head,
    content: &mut Body,
    exchange: &Exchange,
) -> Result<Response<Body>, Failure> {
    if !service.hosts.accept(&head.parts) {
        let message = "this host name is not one of the registry's; add it to the accepted hosts";
        return Err(
            Failure::new(Code::Denied, message).with_status(StatusCode::MISDIRECTED_REQUEST)
        );
    }
    let endpoint = Endpoint::parse(head.parts.uri.path());
    exchange.is_for(endpoint.as_ref().map_or(Route::Other, Endpoint::route));
    let need = need(endpoint.as_ref().ok(), head);
    exchange.is_of(service.policy.admit(&head.parts, need).await?);
    handle(service, head, content, endpoint?).await
}

/// The right that a request needs. To ask about an upload takes it out of the hands of whoever
/// sends to it, so it is as good as writing.
fn need(endpoint: Option<&Endpoint>, head: &Head) -> Need {
    match (endpoint, head.parts.method.as_str()) {
        (Some(Endpoint::Root), "GET" | "HEAD") => Need::Identity,
        (Some(Endpoint::Upload(..)), _) => Need::Write,
        (_, "GET" | "HEAD") => Need::Read,
        _ => Need::Write,
    }
}

async fn handle(
    service: &Arc<Service>,
    head: &Head,
    content: &mut Body,
    endpoint: Endpoint,
) -> Result<Response<Body>, Failure> {
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
        (Endpoint::Tags(name), "GET" | "HEAD") => lists::tags(service, head, name).await,
        (Endpoint::Catalog, "GET" | "HEAD") => lists::repositories(service, head).await,
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
        Endpoint::Root | Endpoint::Catalog | Endpoint::Tags(_) | Endpoint::Referrers(..) => {
            "GET, HEAD"
        }
        Endpoint::Blob(..) => "GET, HEAD, DELETE",
        Endpoint::Uploads(_) => "POST",
        Endpoint::Upload(..) => "GET, PATCH, PUT, DELETE",
        Endpoint::Manifest(..) => "GET, HEAD, PUT, DELETE",
    };
    Failure::new(Code::Unsupported, format!("this path takes {allow}"))
        .with_header(header::ALLOW, value_of(allow))
}
