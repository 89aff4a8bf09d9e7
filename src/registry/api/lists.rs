//! Lists of names: a repository's tags (distribution-spec, "Listing Tags"), and all repositories,
//! which the specification has left to `_catalog` of Docker's registry: oras, crane and regctl ask
//! for it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::json;

use super::service::Service;
use crate::registry::depot::Repository;
use crate::registry::wire::{Code, Failure, Head, document, set};

/// Names in one answer, asked for or not: about a megabyte of tags.
const PAGE: usize = 10_000;

/// `GET /v2/<name>/tags/list`.
pub(super) async fn tags(
    service: &Arc<Service>,
    head: &Head,
    name: Repository,
) -> Result<Response<Body>, Failure> {
    let asked = asked(head)?;
    let repository = name.clone();
    let tags = service
        .blocking(move |service| {
            let known = service.depot.knows(&repository);
            known.then(|| service.depot.tags(&repository)).transpose()
        })
        .await?
        .ok_or_else(|| Failure::new(Code::NameUnknown, format!("there is no repository {name}")))?;
    let names: Vec<&str> = tags.iter().map(|tag| tag.as_str()).collect();
    let (page, next) = page(&names, head, asked);
    let mut response = listing(&json!({ "name": name.as_str(), "tags": page }));
    if let Some(query) = next {
        let link = format!("</v2/{name}/tags/list?{query}>; rel=\"next\"");
        set(&mut response, header::LINK, link);
    }
    Ok(response)
}

/// `GET /v2/_catalog`.
pub(super) async fn repositories(
    service: &Arc<Service>,
    head: &Head,
) -> Result<Response<Body>, Failure> {
    let asked = asked(head)?;
    let repositories = service
        .blocking(|service| service.depot.repositories())
        .await?;
    let names: Vec<&str> = repositories.iter().map(Repository::as_str).collect();
    let (page, next) = page(&names, head, asked);
    let mut response = listing(&json!({ "repositories": page }));
    if let Some(query) = next {
        let link = format!("</v2/_catalog?{query}>; rel=\"next\"");
        set(&mut response, header::LINK, link);
    }
    Ok(response)
}

fn listing(value: &serde_json::Value) -> Response<Body> {
    document("application/json", value.to_string().into_bytes())
}

/// The number of names that a request asks for.
fn asked(head: &Head) -> Result<Option<usize>, Failure> {
    let number = |text: &str| {
        text.parse().map_err(|_| {
            Failure::new(Code::Unsupported, "`n` is not a number of names")
                .with_status(StatusCode::BAD_REQUEST)
        })
    };
    head.query.first("n").map(number).transpose()
}

/// The names that belong in the answer, and the query for those after them.
fn page<'a>(
    names: &'a [&'a str],
    head: &Head,
    asked: Option<usize>,
) -> (&'a [&'a str], Option<String>) {
    let last = head.query.first("last").unwrap_or_default();
    let (page, more) = after(names, last, asked.unwrap_or(PAGE).min(PAGE));
    let next = page.last().filter(|_| more).map(|last| {
        let size = asked.map(|n| format!("n={n}&")).unwrap_or_default();
        format!("{size}last={last}")
    });
    (page, next)
}

/// The names after one, up to a number, and whether there are more.
fn after<'a>(names: &'a [&'a str], last: &str, size: usize) -> (&'a [&'a str], bool) {
    let start = names.partition_point(|name| *name <= last);
    let end = names.len().min(start + size);
    (&names[start..end], end < names.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap() {
        let names = ["A", "a", "b", "c"];
        assert_eq!(after(&names, "", 10), (&names[..], false));
        assert_eq!(after(&names, "", 2), (&names[..2], true));
        assert_eq!(after(&names, "a", 2), (&names[2..], false));
        assert_eq!(after(&names, "aa", 1), (&names[2..3], true));
        assert_eq!(after(&names, "c", 1), (&names[4..], false));
        assert_eq!(after(&names, "", 0), (&names[..0], true));
    }
}
