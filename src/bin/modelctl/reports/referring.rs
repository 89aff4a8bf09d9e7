//! What refers to an artifact: signatures, attestations, bills of materials.

use std::fmt;

use modelctl::oci::{Descriptor, Digest};
use serde::Serialize;

use crate::text::{Size, Table};

/// How many are listed.
pub(crate) const MAX_REFERRERS: usize = 50;
/// Where the predicate type of an attestation is said: by cosign's bundles, and by in-toto's own.
const PREDICATES: [&str; 2] = [
    "dev.sigstore.bundle.predicateType",
    "in-toto.io/predicate-type",
];

/// The referrers of an artifact, as the place lists them: unverified.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Referring {
    referrers: Vec<Referrer>,
    /// Whether there are more than are listed.
    more_referrers: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Referrer {
    digest: Digest,
    /// Of its manifest, in bytes.
    size: u64,
    media_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate_type: Option<String>,
}

impl From<Descriptor> for Referrer {
    fn from(listed: Descriptor) -> Self {
        let said = { PREDICATES.iter() }.find_map(|key| listed.annotations.get(*key));
        Self {
            predicate_type: said.cloned(),
            digest: listed.digest,
            size: listed.size,
            media_type: listed.media_type,
            artifact_type: listed.artifact_type,
        }
    }
}

impl From<Vec<Descriptor>> for Referring {
    fn from(listed: Vec<Descriptor>) -> Self {
        let more_referrers = listed.len() > MAX_REFERRERS;
        let first = listed.into_iter().take(MAX_REFERRERS);
        Self {
            referrers: first.map(Referrer::from).collect(),
            more_referrers,
        }
    }
}

impl fmt::Display for Referring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.referrers.is_empty() {
            return Ok(());
        }
        let mut table = Table::with_head(["REFERRER", "SIZE", "TYPE", "PREDICATE"]);
        for referrer in &self.referrers {
            let kind = referrer.artifact_type.as_ref();
            table.row([
                referrer.digest.to_string(),
                Size(referrer.size).to_string(),
                kind.unwrap_or(&referrer.media_type).clone(),
                referrer.predicate_type.clone().unwrap_or("-".to_owned()),
            ]);
        }
        write!(f, "\n{table}")?;
        match self.more_referrers {
            true => writeln!(f, "… and more: the first {MAX_REFERRERS} are listed"),
            false => Ok(()),
        }
    }
}
