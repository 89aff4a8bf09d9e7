//! How much an upgrade moves.

use std::collections::HashSet;

use serde::Serialize;

use super::{Side, Total};
use crate::model::foreign;
use crate::oci::Digest;
use crate::seed;

/// What moves from where B is to where A is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// All blobs of B.
    pub all: Total,
    /// Those that A lacks: what a copy moves into a repository or store that has A.
    pub new: Total,
    /// How many bytes of blobs `pull --seed` fetches into a folder, with A pulled into another one;
    /// absent where A or B cannot be pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull: Option<u64>,
}

/// Nothing where B is a folder: what moves is known by its OCI manifest.
pub(super) fn upgrade(a: &Side<'_>, b: &Side<'_>) -> Option<Upgrade> {
    let new = b.manifest()?;
    let here = blobs(a);
    let mut upgrade = Upgrade {
        all: Total::default(),
        new: Total::default(),
        pull: pull(a, b),
    };
    let mut seen = HashSet::new();
    let once = new.blobs().filter(|blob| seen.insert(blob.digest));
    for blob in once {
        upgrade.all.add(blob.size);
        if !here.contains(&blob.digest) {
            upgrade.new.add(blob.size);
        }
    }
    Some(upgrade)
}

/// The blobs of a version, as far as they are known.
fn blobs(side: &Side<'_>) -> HashSet<Digest> {
    match (side.manifest(), side.model()) {
        (Some(manifest), _) => manifest.blobs().map(|blob| blob.digest).collect(),
        (None, Some(model)) => model.layers.iter().map(|layer| layer.digest).collect(),
        (None, None) => HashSet::new(),
    }
}

fn pull(a: &Side<'_>, b: &Side<'_>) -> Option<u64> {
    let new = b.manifest()?;
    let made_old = made(a);
    let old = a.model().or(made_old.as_ref())?;
    let made_new = made(b);
    // Whether B can be pulled is all that is asked of a manifest that was made: seeds go by the real
    // one, or by the layers.
    b.model().or(made_new.as_ref())?;
    Some(seed::forecast(new, b.model(), old))
}

/// The model manifest of another tool's artifact, if it stands for one.
fn made(side: &Side<'_>) -> Option<crate::model::ModelManifest> {
    let manifest = side.manifest().filter(|_| side.model().is_none())?;
    foreign::manifest(manifest).ok()
}
