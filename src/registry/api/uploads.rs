//! Pushing blobs: in one request, in two, in chunks, or not at all because another repository has
//! the blob (distribution-spec, "Pushing Blobs").

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{self, HeaderName};
use axum::http::{Response, StatusCode};

use super::receive::{receive, superseded};
use super::route;
use super::service::Service;
use crate::oci::{Algorithm, Digest};
use crate::registry::depot::{Repository, Session, Turn, Upload};
use crate::registry::wire::{self, CONTENT_DIGEST, Code, Failure, Head, empty, set, value_of};

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// `POST /v2/<name>/blobs/uploads/`: mounts, stores the body, or opens a session.
pub(super) async fn begin(
    service: &Arc<Service>,
    head: &Head,
    name: Repository,
    content: &mut Body,
) -> Result<Response<Body>, Failure> {
    let parameter = |key| head.query.first(key).map(route::digest).transpose();
    let (mount, digest) = (parameter("mount")?, parameter("digest")?);
    if let Some(mount) = mount
        && mounted(service, head, &name, mount).await?
    {
        return Ok(created(&name, &mount));
    }
    let algorithm = match head.query.first("digest-algorithm") {
        Some(text) => algorithm(text)?,
        None => digest
            .or(mount)
            .map_or(Algorithm::Sha256, |digest| digest.algorithm()),
    };
    let repository = name.clone();
    let session = service
        .blocking(move |service| {
            service
                .sessions
                .open(&service.depot, &repository, algorithm)
        })
        .await?
        .ok_or_else(|| {
            Failure::new(Code::TooManyRequests, "too many uploads are open")
                .with_header(header::RETRY_AFTER, value_of("10"))
        })?;
    let Some(digest) = digest else {
        return Ok(progress(StatusCode::ACCEPTED, &session, 0));
    };
    // A client that sends everything at once does not know of the session.
    let stored = complete(service, head, (Arc::clone(&session), digest), content).await;
    service.sessions.close(&session);
    stored
}

async fn mounted(
    service: &Arc<Service>,
    head: &Head,
    name: &Repository,
    digest: Digest,
) -> Result<bool, Failure> {
    let from = head
        .query
        .first("from")
        .map(route::repository)
        .transpose()?;
    let name = name.clone();
    service
        .blocking(move |service| service.depot.mount_blob(&name, &digest, from.as_ref()))
        .await
}

/// `PATCH` of a session: the next chunk, or a stream of any length.
pub(super) async fn append(
    service: &Arc<Service>,
    head: &Head,
    session: Arc<Session>,
    content: &mut Body,
) -> Result<Response<Body>, Failure> {
    let turn = take(session).await?;
    let turn = extend(service, head, turn, content).await?;
    Ok(progress(
        StatusCode::ACCEPTED,
        &turn.session,
        offset(&turn)?,
    ))
}

/// `PUT` of a session: the last chunk, if there is one, and the digest of the whole.
pub(super) async fn finish(
    service: &Arc<Service>,
    head: &Head,
    session: Arc<Session>,
    content: &mut Body,
) -> Result<Response<Body>, Failure> {
    let digest = head.query.first("digest").ok_or_else(|| {
        Failure::new(Code::DigestInvalid, "the query has no `digest` of the blob")
    })?;
    let digest = route::digest(digest)?;
    complete(service, head, (session, digest), content).await
}

/// `GET` of a session: how far it is.
pub(super) async fn status(session: Arc<Session>) -> Result<Response<Body>, Failure> {
    let turn = take(session).await?;
    Ok(progress(
        StatusCode::NO_CONTENT,
        &turn.session,
        offset(&turn)?,
    ))
}

/// `DELETE` of a session.
pub(super) async fn cancel(
    service: &Service,
    session: Arc<Session>,
) -> Result<Response<Body>, Failure> {
    let mut turn = take(session).await?;
    *turn.upload = None;
    service.sessions.close(&turn.session);
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Finds the session that a path names.
pub(super) fn find(
    service: &Service,
    name: &Repository,
    id: &str,
) -> Result<Arc<Session>, Failure> {
    service.sessions.find(name, id).ok_or_else(unknown)
}

async fn take(session: Arc<Session>) -> Result<Turn, Failure> {
    session.take().await.ok_or_else(superseded)
}

/// Receives what is left of a blob and stores it.
async fn complete(
    service: &Arc<Service>,
    head: &Head,
    (session, digest): (Arc<Session>, Digest),
    content: &mut Body,
) -> Result<Response<Body>, Failure> {
    let mut turn = take(session).await?;
    if let Some(upload) = turn.upload.as_mut() {
        upload.expect(digest.algorithm());
    }
    let mut turn = extend(service, head, turn, content).await?;
    let upload = turn.upload.take().ok_or_else(unknown)?;
    service.sessions.close(&turn.session);
    let name = turn.session.repository().clone();
    let repository = name.clone();
    let stored = service
        .blocking(move |service| service.depot.store_upload(&repository, upload, &digest))
        .await?;
    match stored {
        Ok(()) => Ok(created(&name, &digest)),
        Err(actual) => {
            let message = format!("what was sent has the digest {actual}, not {digest}");
            Err(Failure::new(Code::DigestInvalid, message))
        }
    }
}

/// Adds the body to an upload, if it belongs where the upload stands.
async fn extend(
    service: &Arc<Service>,
    head: &Head,
    turn: Turn,
    content: &mut Body,
) -> Result<Turn, Failure> {
    let offset = offset(&turn)?;
    let announced = head.content_length();
    let chunk = head.header(header::CONTENT_RANGE).map(chunk).transpose()?;
    if chunk.as_ref().is_some_and(|chunk| chunk.start != offset) {
        let message = format!("the upload stands at byte {offset}: go on from there");
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        return Err(Failure::new(Code::BlobUploadInvalid, message)
            .with_status(status)
            .with_headers_of(&progress(status, &turn.session, offset)));
    }
    let length = chunk.map(|chunk| chunk.end - chunk.start);
    if let (Some(length), Some(announced)) = (length, announced)
        && length != announced
    {
        let message = format!("`Content-Range` spans {length} bytes, but {announced} are sent");
        return Err(Failure::new(Code::SizeInvalid, message));
    }
    receive(service, turn, length.or(announced), content).await
}

fn chunk(text: &str) -> Result<Range<u64>, Failure> {
    wire::chunk(text).ok_or_else(|| {
        Failure::new(
            Code::BlobUploadInvalid,
            "`Content-Range` is not `first-last`, both inclusive",
        )
    })
}

fn algorithm(text: &str) -> Result<Algorithm, Failure> {
    [Algorithm::Sha256, Algorithm::Sha512]
        .into_iter()
        .find(|algorithm| algorithm.as_str() == text)
        .ok_or_else(|| Failure::new(Code::DigestInvalid, "the algorithm is not sha256 or sha512"))
}

/// How many bytes an upload has.
fn offset(turn: &Turn) -> Result<u64, Failure> {
    turn.upload.as_ref().map(Upload::offset).ok_or_else(unknown)
}

/// Where an upload stands. The range of no bytes cannot be written; `0-0` is what others send.
fn progress(status: StatusCode, session: &Session, offset: u64) -> Response<Body> {
    let name = session.repository();
    let mut response = empty(status);
    let location = format!("/v2/{name}/blobs/uploads/{}", session.id());
    set(&mut response, header::LOCATION, location);
    let range = format!("0-{}", offset.saturating_sub(1));
    set(&mut response, header::RANGE, range);
    set(&mut response, UPLOAD_ID, session.id());
    response
}

/// A blob is there now.
fn created(name: &Repository, digest: &Digest) -> Response<Body> {
    let mut response = empty(StatusCode::CREATED);
    let location = format!("/v2/{name}/blobs/{digest}");
    set(&mut response, header::LOCATION, location);
    set(&mut response, CONTENT_DIGEST, digest.to_string());
    response
}

fn unknown() -> Failure {
    Failure::new(
        Code::BlobUploadUnknown,
        "there is no such upload in this repository, or no longer",
    )
}
