//! Lists in pages, by `Link: <…>; rel="next"` (RFC 8288). A next page is asked of the same origin
//! only, never twice, and not without end (GHSA-h7vf-4x9w-h99v, GHSA-298f-872v-2rcx).

use std::collections::HashSet;

use reqwest::header::LINK;
use url::Url;

use crate::transport::TransportError;
use crate::transport::error::{Distrust, ProtocolFault};
use crate::transport::http::{Answer, Request, Session, ShownUrl};

/// Pages that are read of one list.
const MAX_PAGES: usize = 1000;

/// Entries that are kept of one list.
pub(super) const MAX_ITEMS: usize = 100_000;

/// Bytes that are read of one list: a thousand pages of the largest size would be gigabytes.
const MAX_LIST_SIZE: u64 = 64 * 1024 * 1024;

/// A list on its way.
pub(super) struct Pages<'a> {
    session: &'a Session,
    /// The next page; nothing after the last.
    request: Option<Request<'static>>,
    seen: HashSet<Url>,
    /// Bytes of all pages so far.
    size: u64,
}

impl<'a> Pages<'a> {
    /// Starts with the request of the first page.
    pub(super) fn new(session: &'a Session, first: Request<'static>) -> Self {
        Self {
            session,
            request: Some(first),
            seen: HashSet::new(),
            size: 0,
        }
    }

    /// The next page, of `limit` bytes at most, and its head; nothing after the last.
    pub(super) async fn next(
        &mut self,
        what: &'static str,
        limit: u64,
    ) -> Result<Option<(Answer, Vec<u8>)>, TransportError> {
        let Some(mut request) = self.request.take() else {
            return Ok(None);
        };
        self.seen.insert(request.url.clone());
        let (answer, body) = self.session.read(&request, what, limit).await?;
        self.size += body.len() as u64;
        if self.size > MAX_LIST_SIZE {
            let limit = MAX_LIST_SIZE;
            return Err(answer.protocol(ProtocolFault::TooLarge { what, limit }));
        }
        if let Some(next) = self.following(&answer, &request.url)? {
            request.url = next;
            self.request = Some(request);
        }
        Ok(Some((answer, body)))
    }

    fn following(&self, answer: &Answer, here: &Url) -> Result<Option<Url>, TransportError> {
        let values = answer.headers().get_all(LINK).iter();
        let mut texts = values.filter_map(|value| value.to_str().ok());
        let Some(target) = texts.find_map(next_target) else {
            return Ok(None);
        };
        let next = here.join(target).ok();
        let next = next.filter(|next| self.session.host.is_at(next) && next.username().is_empty());
        let Some(next) = next else {
            let shown = here.join(target).map_or_else(
                |_| "an invalid URL".to_owned(),
                |next| ShownUrl::from(&next).to_string(),
            );
            return Err(answer.distrusted(Distrust::Page(shown)));
        };
        if self.seen.contains(&next) {
            let shown = ShownUrl::from(&next).to_string();
            return Err(answer.distrusted(Distrust::Circle(shown)));
        }
        if self.seen.len() >= MAX_PAGES {
            return Err(answer.protocol(ProtocolFault::TooManyPages(MAX_PAGES)));
        }
        Ok(Some(next))
    }
}

/// The target of the link with `rel="next"` in a header value.
pub(crate) fn next_target(value: &str) -> Option<&str> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        // A comma ends the parameters of a link; in the ones registries send there is none.
        let (parameters, remaining) = after.split_once(',').unwrap_or((after, ""));
        let is_next = parameters.split(';').any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else {
                return false;
            };
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && value
                    .split_ascii_whitespace()
                    .any(|rel| rel.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target);
        }
        rest = remaining;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quirk Q40.
    #[test]
    fn next_link_is_found_in_every_form() {
        for (value, target) in [
            (
                "</v2/a/tags/list?n=1&last=b>; rel=\"next\"",
                Some("/v2/a/tags/list?n=1&last=b"),
            ),
            ("<x>;rel=next", Some("x")),
            (
                "<a>; rel=\"prev\", <b>; title=\"t\"; REL=\"foo Next\"",
                Some("b"),
            ),
            ("<a>; rel=\"prev\"", None),
            ("<a>", None),
            ("", None),
            ("<a; rel=next", None),
            ("rel=next", None),
        ] {
            assert_eq!(next_target(value), target, "{value}");
        }
    }
}
