//! Small blobs and the manifest that needs them into a store.

use std::time::Duration;

use crate::Result;
use crate::oci::{Descriptor, Document};
use crate::store::Storage;

/// How often a manifest is sent before what the store says of it is believed.
const MAX_ATTEMPTS: u32 = 6;
/// Longer than a registry takes to store a blob that another client sends at the same time.
const PAUSE: Duration = Duration::from_millis(50);

/// Stores the blobs that are not there, then the manifest. Old registries miss a blob for a moment while
/// somebody else sends the same one: then the manifest is sent again, and the blob as well if that does
/// not help. Sending the blob at once would do to others what they have done to us.
pub(super) async fn put(
    store: &impl Storage,
    blobs: &[(&Descriptor, &Vec<u8>)],
    document: &Document,
) -> Result<Descriptor> {
    for (blob, content) in blobs {
        if !store.exists(blob).await? {
            store.push(blob, *content).await?;
        }
    }
    let (manifest, raw) = (document.descriptor(), document.raw().to_vec());
    for attempt in 1..MAX_ATTEMPTS {
        let Err(error) = store.push(&manifest, &raw).await else {
            return Ok(manifest);
        };
        let Some(missing) = error.missing_blob() else {
            return Err(error);
        };
        tokio::time::sleep(PAUSE * attempt).await;
        let ours = blobs.iter().find(|(blob, _)| blob.digest == missing);
        if let (0, Some((blob, content))) = (attempt % 2, ours) {
            store.push(blob, *content).await?;
        }
    }
    store.push(&manifest, &raw).await?;
    Ok(manifest)
}
