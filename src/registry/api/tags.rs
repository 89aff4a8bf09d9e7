//! The list of a repository's tags (distribution-spec, "Listing Tags").

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, header};

use super::respond::{Code, Failure, json, set};
use super::router::{Head, Service};
use crate::oci::Tag;
use crate::registry::depot::Repository;

/// Tags in one answer, asked for or not: about a megabyte.
const PAGE: usize = 10_000;

/// `GET /v2/<name>/tags/list`.
pub(super) async fn list(
    service: &Arc<Service>,
    head: &Head,
    name: Repository,
) -> Result<Response<Body>, Failure> {
    let asked = match head.query.first("n") {
        None => None,
        Some(text) => Some(text.parse::<usize>().map_err(|_| {
            Failure::new(Code::Unsupported, "`n` is not a number of tags")
                .with_status(axum::http::StatusCode::BAD_REQUEST)
        })?),
    };
    let repository = name.clone();
    let tags = service
        .blocking(move |service| {
            let known = service.depot.knows(&repository);
            known.then(|| service.depot.tags(&repository)).transpose()
        })
        .await?
        .ok_or_else(|| Failure::new(Code::NameUnknown, format!("there is no repository {name}")))?;
    let last = head.query.first("last").unwrap_or_default();
    let (page, more) = page(&tags, last, asked.unwrap_or(PAGE).min(PAGE));
    let names: Vec<&str> = page.iter().map(Tag::as_str).collect();
    let document = serde_json::json!({ "name": name.as_str(), "tags": names });
    let mut response = json("application/json", document.to_string().into_bytes());
    if let (true, Some(last)) = (more, page.last()) {
        let size = asked.map(|n| format!("n={n}&")).unwrap_or_default();
        let link = format!("</v2/{name}/tags/list?{size}last={last}>; rel=\"next\"");
        set(&mut response, header::LINK, link);
    }
    Ok(response)
}

/// The tags after one, up to a number, and whether there are more.
fn page<'a>(tags: &'a [Tag], last: &str, size: usize) -> (&'a [Tag], bool) {
    let start = tags.partition_point(|tag| tag.as_str() <= last);
    let end = tags.len().min(start + size);
    (&tags[start..end], end < tags.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap() {
        let tags: Vec<Tag> = ["A", "a", "b", "c"].map(|tag| tag.parse().unwrap()).into();
        assert_eq!(page(&tags, "", 10), (&tags[..], false));
        assert_eq!(page(&tags, "", 2), (&tags[..2], true));
        assert_eq!(page(&tags, "a", 2), (&tags[2..], false));
        assert_eq!(page(&tags, "aa", 1), (&tags[2..3], true));
        assert_eq!(page(&tags, "c", 1), (&tags[4..], false));
        assert_eq!(page(&tags, "", 0), (&tags[..0], true));
    }
}
