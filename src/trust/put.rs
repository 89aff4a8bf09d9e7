//! Small blobs and the manifest that needs them into a store.

use crate::Result;
use crate::oci::{Descriptor, Digest, Document};
use crate::store::Storage;
use crate::transfer::push_manifest;

/// Stores the blobs that are not there, then the manifest.
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
    let bring = async |missing: Digest| {
        let Some((blob, content)) = blobs.iter().find(|(blob, _)| blob.digest == missing) else {
            return Ok(false);
        };
        store.push(blob, *content).await?;
        Ok(true)
    };
    push_manifest(store, document, bring).await?;
    Ok(document.descriptor())
}
