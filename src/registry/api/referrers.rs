//! The list of a manifest's referrers (distribution-spec, "Listing Referrers").

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{self, HeaderName};

use super::service::Service;
use crate::oci::{Descriptor, Digest, Index, MAX_MANIFEST_SIZE, media_type};
use crate::registry::RegistryError;
use crate::registry::depot::Repository;
use crate::registry::wire::{Failure, Head, document, set};

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
/// The descriptors in one answer, as JSON in bytes. Clients read an answer as long as a manifest
/// may be; half of that leaves room for the rest of the document, and one descriptor that is
/// longer comes alone.
const PAGE: u64 = MAX_MANIFEST_SIZE / 2;

/// What is asked for.
struct Question {
    subject: Digest,
    artifact_type: Option<String>,
    /// The name of the last record that was listed already.
    last: String,
}

/// `GET /v2/<name>/referrers/<digest>`. An unknown repository or subject has no referrers.
pub(super) async fn list(
    service: &Arc<Service>,
    head: &Head,
    name: Repository,
    subject: Digest,
) -> Result<Response<Body>, Failure> {
    let filter = head.query.first("artifactType").map(str::to_owned);
    let question = Question {
        subject,
        artifact_type: filter.clone(),
        last: head.query.first("last").unwrap_or_default().to_owned(),
    };
    let repository = name.clone();
    let (referrers, next) = service
        .blocking(move |service| page(service, &repository, &question))
        .await?;
    let index = serde_json::to_vec(&Index::new(referrers)).expect("an index has string keys");
    let mut response = document(media_type::INDEX, index);
    if filter.is_some() {
        set(&mut response, FILTERS_APPLIED, "artifactType");
    }
    if let Some(last) = next {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(filter) = &filter {
            query.append_pair("artifactType", filter);
        }
        query.append_pair("last", &last);
        let link = format!(
            "</v2/{name}/referrers/{subject}?{}>; rel=\"next\"",
            query.finish()
        );
        set(&mut response, header::LINK, link);
    }
    Ok(response)
}

/// The referrers of one page, and the last record on it if there are more.
fn page(
    service: &Service,
    repository: &Repository,
    question: &Question,
) -> Result<(Vec<Descriptor>, Option<String>), RegistryError> {
    let depot = &service.depot;
    let names = depot.referrer_names(repository, &question.subject)?;
    let mut size = 0;
    let mut found = Vec::new();
    for name in names.into_iter().filter(|name| *name > question.last) {
        let Some(referrer) = depot.referrer(repository, &question.subject, &name)? else {
            continue;
        };
        let wanted = question.artifact_type.as_deref();
        if wanted.is_some() && wanted != referrer.artifact_type.as_deref() {
            continue;
        }
        size += serde_json::to_vec(&referrer).map_or(0, |json| json.len() as u64);
        if size > PAGE
            && let Some((last, _)) = found.last()
        {
            let last = String::clone(last);
            return Ok((
                found.into_iter().map(|(_, referrer)| referrer).collect(),
                Some(last),
            ));
        }
        found.push((name, referrer));
    }
    Ok((
        found.into_iter().map(|(_, referrer)| referrer).collect(),
        None,
    ))
}
