//! The manifest, after all that it needs.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::TransferError;
use crate::oci::{Digest, Document};
use crate::store::Storage;
use crate::{Error, Result};

/// How often a manifest is sent again before what the store says of it is believed.
const MAX_WAITS: u32 = 5;

/// Longer than a registry takes to store a blob that another client sends at the same time.
const PAUSE: Duration = Duration::from_millis(50);

/// Pushes a manifest, whether it is there or not. A store may refuse it because it misses a blob
/// that it has said to have (security row Q13). Old registries do so for a moment, while somebody
/// else sends the same blob: so the manifest comes once more first, since to send the blob would do
/// to others what they have done to us. If that does not help the blob is brought, once; `bring`
/// says whether it could.
pub(crate) async fn push_manifest<F>(
    sink: &impl Storage,
    manifest: &Document,
    bring: impl Fn(Digest) -> F,
) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    let (descriptor, content) = (manifest.descriptor(), manifest.raw().to_vec());
    let (mut missed, mut brought) = (HashMap::<Digest, u32>::new(), HashSet::new());
    let mut waits = 0;
    loop {
        let Err(error) = sink.push(&descriptor, &content).await else {
            return Ok(());
        };
        let Some(blob) = error.missing_blob() else {
            return Err(error);
        };
        let times = missed.entry(blob).or_default();
        *times += 1;
        if *times == 2 && bring(blob).await? {
            brought.insert(blob);
            waits = 0;
            continue;
        }
        waits += 1;
        if waits > MAX_WAITS {
            let is_lost = brought.contains(&blob);
            return Err(if is_lost {
                lost(manifest, blob, error)
            } else {
                error
            });
        }
        tokio::time::sleep(PAUSE * waits).await;
    }
}

fn lost(manifest: &Document, blob: Digest, cause: Error) -> Error {
    let lost = TransferError::Lost {
        blob,
        manifest: manifest.digest(),
        cause: Box::new(cause),
    };
    lost.into()
}
