//! The report of `diff`: what changed, as text, as Markdown, or as the JSON of `docs/diff.md`.
//!
//! Difference → sections, which are tables of cells → one of two forms. A cell knows whether its text
//! is ours or came from a model, so that each form escapes the latter, and nothing else.

mod markdown;
mod sections;
mod text;

use std::fmt;

use modelctl::diff::{Difference, DropIn, InterfaceChange, Upgrade};
use modelctl::oci::Digest;
use serde::Serialize;

use crate::text::{Size, count};

/// How many rows of a table are shown; the JSON has all of them.
const MAX_ROWS: usize = 50;

/// What was compared, and what was found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DiffReport {
    pub(crate) a: Compared,
    pub(crate) b: Compared,
    #[serde(flatten)]
    pub(crate) difference: Difference,
    /// What it looks like if it is not JSON.
    #[serde(skip)]
    pub(crate) form: Form,
}

/// One of the two.
#[derive(Serialize)]
pub(crate) struct Compared {
    /// What was asked for.
    pub(crate) name: String,
    /// The digest of the artifact; absent where a folder was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Digest>,
}

/// What a report looks like.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Text,
    Markdown,
}

impl fmt::Display for DiffReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::Text => text::write(self, f),
            Form::Markdown => markdown::write(self, f),
        }
    }
}

impl DiffReport {
    /// Whether B can take the place of A, in one sentence of ours.
    fn verdict(&self) -> String {
        let difference = &self.difference;
        let all = difference.interface.len();
        let breaking = { difference.interface.iter() }.filter(|change| change.breaks);
        let breaking = breaking.count();
        match difference.drop_in {
            _ if !difference.differs => "A and B are the same".to_owned(),
            DropIn::Yes if all == 0 => "B is a drop-in for A: the interface is the same".to_owned(),
            DropIn::Yes => format!(
                "B is a drop-in for A: {} of the interface, and no caller breaks",
                count(all, "change")
            ),
            DropIn::No => format!(
                "B is not a drop-in for A: callers break on {breaking} of {} of the interface",
                count(all, "change")
            ),
            DropIn::Unknown => {
                "whether B is a drop-in for A is unknown: not both have a known interface"
                    .to_owned()
            }
        }
    }

    /// The first change that breaks callers.
    fn worst(&self) -> Option<&InterfaceChange> {
        let first = self.difference.interface.first();
        first.filter(|change| change.breaks)
    }

    /// What is left to say where no change can be named.
    fn remark(&self) -> Option<&'static str> {
        let silent = self.difference.differs && !self.difference.has_changes();
        silent.then_some(
            "nothing of the model differs; the artifacts do: signatures, the config, or how layers are cut",
        )
    }
}

/// What an upgrade moves, in one sentence of ours.
fn upgrade(upgrade: &Upgrade) -> String {
    let Upgrade { all, new, pull } = upgrade;
    let pull = pull.map_or(String::new(), |pull| {
        format!(
            "; `pull --seed` with A pulled before fetches {}",
            Size(pull)
        )
    });
    format!(
        "{} of {} new ({} of {}){pull}",
        new.count,
        count(all.count, "blob"),
        Size(new.bytes),
        Size(all.bytes)
    )
}
