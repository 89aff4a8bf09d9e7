//! Manifests: kept byte for byte, under a digest and any number of tags (distribution-spec,
//! "Pushing Manifests", "Pulling manifests", "Deleting Manifests").

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{self, HeaderName};
use axum::http::{Response, StatusCode};

use super::route::{self, Target};
use super::service::Service;
use crate::oci::{Algorithm, Digest, Document, MAX_MANIFEST_SIZE, Tag};
use crate::registry::depot::{Repository, StoredManifest};
use crate::registry::wire::{
    self, CONTENT_DIGEST, Code, Failure, Head, document, empty, set, value_of,
};

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const TAG: HeaderName = HeaderName::from_static("oci-tag");
/// Tags that one push may set; the specification asks for ten.
const MAX_TAGS: usize = 100;

/// `GET` and `HEAD /v2/<name>/manifests/<tag-or-digest>`.
pub(super) async fn get(
    service: &Arc<Service>,
    head: &Head,
    name: Repository,
    target: Target,
) -> Result<Response<Body>, Failure> {
    let stored = find(service, name, &target).await?;
    let digest = stored.digest;
    let media_type = stored.media_type.clone();
    let mut response = if head.is_head() {
        let mut response = document(&media_type, Vec::new());
        set(
            &mut response,
            header::CONTENT_LENGTH,
            stored.size.to_string(),
        );
        response
    } else {
        document(&media_type, service.blocking(move |_| stored.read()).await?)
    };
    set(&mut response, CONTENT_DIGEST, digest.to_string());
    set(&mut response, header::ETAG, format!("\"{digest}\""));
    Ok(response)
}

async fn find(
    service: &Arc<Service>,
    name: Repository,
    target: &Target,
) -> Result<StoredManifest, Failure> {
    let wanted = target.clone();
    let found = service.blocking(move |service| {
        let digest = match &wanted {
            Target::Digest(digest) => Some(*digest),
            Target::Tag(tag) => service.depot.resolve_tag(&name, tag)?,
        };
        match digest {
            Some(digest) => service.depot.open_manifest(&name, &digest),
            None => Ok(None),
        }
    });
    found.await?.ok_or_else(|| unknown(target))
}

/// `PUT /v2/<name>/manifests/<tag-or-digest>`, with `?tag=` for further tags.
pub(super) async fn put(
    service: &Arc<Service>,
    head: &Head,
    (name, target): (Repository, Target),
    content: &mut Body,
) -> Result<Response<Body>, Failure> {
    let tags = tags(head, &target)?;
    if head
        .content_length()
        .is_some_and(|length| length > MAX_MANIFEST_SIZE)
    {
        return Err(too_large());
    }
    let raw = wire::collect(content, MAX_MANIFEST_SIZE, service.options.patience)
        .await?
        .ok_or_else(too_large)?;
    let push = Push {
        content_type: head.header(header::CONTENT_TYPE).map(str::to_owned),
        name,
        target,
        tags,
        raw,
    };
    service
        .blocking(move |service| Ok(push.perform(service)))
        .await?
}

/// A manifest that was received.
struct Push {
    name: Repository,
    target: Target,
    tags: Vec<Tag>,
    content_type: Option<String>,
    raw: Vec<u8>,
}

impl Push {
    /// Checks it and stores it.
    fn perform(self, service: &Service) -> Result<Response<Body>, Failure> {
        let digest = match &self.target {
            Target::Tag(_) => Digest::of(Algorithm::Sha256, &self.raw),
            Target::Digest(expected) => {
                let actual = Digest::of(expected.algorithm(), &self.raw);
                if actual != *expected {
                    let message = format!("the manifest has the digest {actual}, not {expected}");
                    return Err(Failure::new(Code::DigestInvalid, message));
                }
                actual
            }
        };
        let document = Document::parse(self.raw, self.content_type.as_deref())
            .map_err(|error| Failure::new(Code::ManifestInvalid, error.to_string()))?;
        let _kept = service.depot.rely_on(&document);
        if !service.options.sparse
            && let Some(missing) = service.depot.first_missing(&self.name, &document)
        {
            let message = format!("the repository has no {missing}, which the manifest needs");
            return Err(Failure::new(Code::ManifestBlobUnknown, message));
        }
        service
            .depot
            .store_manifest(&self.name, &digest, &document, &self.tags)?;
        Ok(stored(&self.name, &digest, &document, &self.tags))
    }
}

fn stored(name: &Repository, digest: &Digest, document: &Document, tags: &[Tag]) -> Response<Body> {
    let mut response = empty(StatusCode::CREATED);
    let location = format!("/v2/{name}/manifests/{digest}");
    set(&mut response, header::LOCATION, location);
    set(&mut response, CONTENT_DIGEST, digest.to_string());
    if let Some(subject) = document.subject() {
        set(&mut response, SUBJECT, subject.digest.to_string());
    }
    for tag in tags {
        response.headers_mut().append(TAG, value_of(tag.as_str()));
    }
    response
}

/// The tags that a push sets.
fn tags(head: &Head, target: &Target) -> Result<Vec<Tag>, Failure> {
    let tags: Vec<Tag> = match target {
        Target::Tag(tag) => vec![tag.clone()],
        Target::Digest(_) => head
            .query
            .all("tag")
            .map(route::tag)
            .collect::<Result<_, _>>()?,
    };
    if tags.len() > MAX_TAGS {
        let message = format!("a push sets up to {MAX_TAGS} tags, not {}", tags.len());
        return Err(
            Failure::new(Code::ManifestInvalid, message).with_status(StatusCode::URI_TOO_LONG)
        );
    }
    Ok(tags)
}

/// `DELETE /v2/<name>/manifests/<tag-or-digest>`: a tag alone, or a manifest with its tags.
pub(super) async fn delete(
    service: &Arc<Service>,
    name: Repository,
    target: Target,
) -> Result<Response<Body>, Failure> {
    let deleted = target.clone();
    let was_there = service
        .blocking(move |service| match &deleted {
            Target::Tag(tag) => service.depot.delete_tag(&name, tag),
            Target::Digest(digest) => service.depot.delete_manifest(&name, digest),
        })
        .await?;
    if was_there {
        Ok(empty(StatusCode::ACCEPTED))
    } else {
        Err(unknown(&target))
    }
}

fn too_large() -> Failure {
    let message = format!("a manifest has at most {MAX_MANIFEST_SIZE} bytes");
    Failure::new(Code::SizeInvalid, message).with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

fn unknown(target: &Target) -> Failure {
    let named = match target {
        Target::Tag(tag) => format!("tagged {tag}"),
        Target::Digest(digest) => digest.to_string(),
    };
    Failure::new(
        Code::ManifestUnknown,
        format!("the repository has no manifest {named}"),
    )
}
