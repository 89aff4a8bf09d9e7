//! From a request to its handler.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};

use super::route::Endpoint;
use super::service::Service;
use super::{blobs, lists, manifests, referrers, uploads};
use crate::registry::wire::{self, Code, Failure, Head, empty, set, value_of};

/// Answers a request.
pub(in crate::registry) async fn answer(
    service: Arc<Service>,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, mut content) = request.into_parts();
    let head = Head::new(parts);
    match dispatch(&service, &head, &mut content).await {
        Ok(response) => response,
        Err(failure) => {
            wire::discard(&head, content).await;
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
