//! Blobs: read whole or by range, and deleted from one repository.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode, header};

use super::service::Service;
use crate::oci::{Digest, media_type};
use crate::registry::depot::Repository;
use crate::registry::wire::{
    self, CONTENT_DIGEST, Code, Failure, Head, Wanted, empty, set, value_of, wanted,
};

/// `GET` and `HEAD /v2/<name>/blobs/<digest>`.
pub(super) async fn get(
    service: &Arc<Service>,
    head: &Head,
    name: Repository,
    digest: Digest,
) -> Result<Response<Body>, Failure> {
    // Who only asks whether it is there is about to push what needs it.
    let is_asked_for = head.is_head();
    let found = service
        .blocking(move |service| {
            if is_asked_for && !service.depot.promise_blob(&name, &digest)? {
                return Ok(None);
            }
            service.depot.open_blob(&name, &digest)
        })
        .await?;
    let (file, size) = found.ok_or_else(|| unknown(&digest))?;
    let tag = format!("\"{digest}\"");
    let range = match asked_range(head, &tag, size) {
        Wanted::Whole => None,
        Wanted::Part(range) => Some(range),
        Wanted::Unsatisfiable => {
            let message = format!("the blob has {size} bytes, none of them in the range asked for");
            return Err(Failure::new(Code::SizeInvalid, message)
                .with_status(StatusCode::RANGE_NOT_SATISFIABLE)
                .with_header(header::CONTENT_RANGE, value_of(&format!("bytes */{size}"))));
        }
    };
    let sent = range.clone().unwrap_or(0..size);
    let length = sent.end - sent.start;
    let mut response = if head.is_head() || length == 0 {
        Response::new(Body::empty())
    } else {
        Response::new(wire::send(file, sent))
    };
    if let Some(range) = range {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let span = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        set(&mut response, header::CONTENT_RANGE, span);
    }
    set(
        &mut response,
        header::CONTENT_TYPE,
        media_type::OCTET_STREAM,
    );
    set(&mut response, header::CONTENT_LENGTH, length.to_string());
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    set(&mut response, header::ETAG, tag);
    set(&mut response, CONTENT_DIGEST, digest.to_string());
    Ok(response)
}

/// The range that a request asks for. A range is defined for GET alone, and one that is bound to
/// another content by `If-Range` is none.
fn asked_range(head: &Head, tag: &str, size: u64) -> Wanted {
    let bound_to = head.header(header::IF_RANGE);
    if head.is_head() || bound_to.is_some_and(|bound| bound != tag) {
        return Wanted::Whole;
    }
    wanted(head.header(header::RANGE), size)
}

/// `DELETE /v2/<name>/blobs/<digest>`.
pub(super) async fn delete(
    service: &Arc<Service>,
    name: Repository,
    digest: Digest,
) -> Result<Response<Body>, Failure> {
    let was_there = service
        .blocking(move |service| service.depot.delete_blob(&name, &digest))
        .await?;
    if was_there {
        Ok(empty(StatusCode::ACCEPTED))
    } else {
        Err(unknown(&digest))
    }
}

fn unknown(digest: &Digest) -> Failure {
    Failure::new(
        Code::BlobUnknown,
        format!("the repository has no blob {digest}"),
    )
}
