//! Upload sessions of the honest registry: what arrived stays, whether it came by PATCH or by PUT.

use std::collections::BTreeMap;

use modelctl::oci::Digest;

use super::honest::unknown;
use super::wire::{Reply, Seen};

/// The open sessions.
#[derive(Default)]
pub(crate) struct Uploads {
    open: BTreeMap<String, Vec<u8>>,
    opened: usize,
    /// What is said of every range, where that is a lie.
    range: Option<&'static str>,
}

/// What becomes of a request.
pub(super) enum Answer {
    Reply(Reply),
    /// The digest and the content of a blob that is complete.
    Stored(String, Vec<u8>),
}

impl Uploads {
    /// The answer to a request about a session, or for a new one. `mounted` is a blob that is there
    /// and was to be mounted.
    pub(super) fn answer(
        &mut self,
        seen: &Seen,
        id: &str,
        body: Vec<u8>,
        mounted: Option<String>,
    ) -> Answer {
        if seen.method == "POST" {
            return Answer::Reply(match mounted {
                Some(digest) => {
                    Reply::new(201, "").with("Location", format!("/v2/m/blobs/{digest}"))
                }
                None => self.open(seen),
            });
        }
        let Some(content) = self.open.get_mut(id) else {
            return Answer::Reply(unknown("BLOB_UPLOAD_UNKNOWN"));
        };
        let start = seen
            .header("content-range")
            .and_then(|range| range.split_once('-'));
        if let Some((start, _)) = start
            && start.parse() != Ok(content.len())
        {
            return Answer::Reply(Reply::new(416, ""));
        }
        content.extend(body);
        let range = match self.range {
            Some(range) => range.to_owned(),
            None => format!("0-{}", content.len().saturating_sub(1)),
        };
        let reply = |status| {
            let reply = Reply::new(status, "").with("Location", seen.path());
            reply.with("Range", range)
        };
        match seen.method.as_str() {
            "GET" => Answer::Reply(reply(204)),
            "PATCH" => Answer::Reply(reply(202)),
            "PUT" => self.finish(seen, id),
            _ => {
                self.open.remove(id);
                Answer::Reply(Reply::new(204, ""))
            }
        }
    }

    /// Keeps what arrived of a request that broke off.
    pub(super) fn keep(&mut self, seen: &Seen, part: &[u8]) {
        let id = seen.path().rsplit('/').next().unwrap();
        if let Some(content) = self.open.get_mut(id) {
            content.extend(part);
        }
    }

    /// Says this of the range of every session from now on.
    pub(crate) fn say_range(&mut self, range: &'static str) {
        self.range = Some(range);
    }

    /// Forgets all sessions.
    pub(crate) fn forget(&mut self) {
        self.open.clear();
    }

    /// How many sessions are open.
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }

    fn open(&mut self, seen: &Seen) -> Reply {
        let id = format!("u{}", self.opened);
        self.opened += 1;
        self.open.insert(id.clone(), Vec::new());
        Reply::new(202, "").with("Location", format!("{}{id}", seen.path()))
    }

    fn finish(&mut self, seen: &Seen, id: &str) -> Answer {
        let content = self.open.remove(id).unwrap();
        let digest: Digest = seen.query("digest").unwrap().parse().unwrap();
        if Digest::of(digest.algorithm(), &content) == digest {
            return Answer::Stored(digest.to_string(), content);
        }
        let error = r#"{"errors":[{"code":"DIGEST_INVALID","message":"other digest"}]}"#;
        Answer::Reply(Reply::new(400, error))
    }
}
