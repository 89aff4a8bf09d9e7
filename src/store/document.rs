//! Manifests out of any store: small, bounded, verified.

use tokio::io::AsyncReadExt as _;

use super::{Storage, StoreError, error_of_read};
use crate::Result;
use crate::oci::{Descriptor, Document, MAX_MANIFEST_SIZE};

/// Fetches a small blob into memory. One that calls itself larger than `limit` bytes is refused
/// before it is asked for, and never more than its size is read.
pub async fn fetch_small(store: &impl Storage, blob: &Descriptor, limit: u64) -> Result<Vec<u8>> {
    if blob.size > limit {
        return Err(StoreError::too_large(blob, limit).into());
    }
    let mut reader = store.fetch(blob).await?;
    let mut bytes = Vec::new();
    let read = reader.read_to_end(&mut bytes).await;
    read.map_err(|error| error_of_read(error, &blob.digest))?;
    Ok(bytes)
}

/// Fetches a manifest or index and parses it. The media type of the descriptor counts as the one
/// that it was sent with.
pub async fn fetch_document(store: &impl Storage, blob: &Descriptor) -> Result<Document> {
    let bytes = fetch_small(store, blob, MAX_MANIFEST_SIZE).await?;
    Ok(Document::parse(bytes, Some(&blob.media_type))?)
}
