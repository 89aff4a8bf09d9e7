//! The tags of a repository (distribution-spec, "Listing Tags").

use reqwest::Method;
use serde::Deserialize;

use super::handle::{Access, Repository};
use super::pages::{MAX_ITEMS, Pages};
use crate::Result;
use crate::oci::Tag;
use crate::transport::error::ProtocolFault;

/// The largest page that is read, in bytes.
const MAX_PAGE_SIZE: u64 = 4 * 1024 * 1024;

/// The page that is asked for; larger ones are an error to some registries.
const PAGE: &str = "n=1000";

/// Some registries list digests or nulls, and some no list at all.
#[derive(Deserialize)]
struct TagList {
    tags: Option<Vec<Option<String>>>,
}

impl Repository {
    /// Lists the tags in the order of the registry. Entries that are no tags are left out.
    pub async fn tags(&self) -> Result<Vec<Tag>> {
        let mut request = self.request(Method::GET, "tags/list", Access::Pull);
        request.url.set_query(Some(PAGE));
        let mut pages = Pages::new(&self.session, request);
        let mut tags = Vec::new();
        while let Some((answer, body)) = pages.next("list of tags", MAX_PAGE_SIZE).await? {
            let list: TagList = serde_json::from_slice(&body)
                .map_err(|error| answer.malformed("list of tags", &error))?;
            let entries = list.tags.into_iter().flatten().flatten();
            tags.extend(entries.filter_map(|text| text.parse::<Tag>().ok()));
            if tags.len() > MAX_ITEMS {
                return Err(answer
                    .protocol(ProtocolFault::TooManyItems(MAX_ITEMS))
                    .into());
            }
        }
        Ok(tags)
    }
}
