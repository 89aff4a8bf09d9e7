//! One blob: what an earlier process has written of it is hashed, the rest is fetched, and all of it
//! is what its descriptor says, or it is fetched once more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::pairs::Pairs;
use super::work::Work;
use super::writer::BlobWriter;
use crate::oci::Hasher;
use crate::store::{Storage, StoreError, on_thread};
use crate::transfer::Moved;
use crate::{Error, Result};

/// Fetches a blob into the files. Wrong bytes from disk (a power loss, a bad disk, another process)
/// or from a source that has them from somewhere near cost one clean try from the first byte; wrong
/// bytes again are an error.
pub(super) async fn fetch_blob(
    source: &impl Storage,
    work: &Arc<Work>,
    pairs: &Pairs<BlobWriter>,
    (blob, moved): (usize, Moved),
) -> Result<()> {
    let start = work.positions[blob];
    match attempt(source, work, pairs, (blob, start, moved.clone())).await {
        Err(error) if is_mismatch(&error) => {
            tracing::info!("{error}: it is fetched once more");
            work.record(blob, 0)?;
            attempt(source, work, pairs, (blob, 0, moved)).await
        }
        other => other,
    }
}

fn is_mismatch(error: &Error) -> bool {
    matches!(error, Error::Store(StoreError::Mismatch { .. }))
}

async fn attempt(
    source: &impl Storage,
    work: &Arc<Work>,
    pairs: &Pairs<BlobWriter>,
    (blob, start, moved): (usize, u64, Moved),
) -> Result<()> {
    let descriptor = &work.plan.blobs[blob].descriptor;
    let mut hash = Hasher::new(descriptor.digest.algorithm());
    let mut writer = BlobWriter::new(work, blob, moved);
    if start > 0 {
        let read = move || {
            writer.read_back(start, &mut hash)?;
            Ok::<_, Error>((writer, hash))
        };
        (writer, hash) = on_thread(read).await?;
    }
    if start < descriptor.size {
        // The bytes are hashed where they are written, two blobs at a time: not in the reader.
        let reader = match start {
            0 => source.fetch_unverified(descriptor).await?,
            _ => {
                source
                    .fetch_range(descriptor, start..descriptor.size)
                    .await?
            }
        };
        hash = pairs.land(reader, descriptor, (writer, hash)).await?;
    }
    let got = hash.finish();
    if got != descriptor.digest {
        let blob = descriptor.digest;
        return Err(StoreError::Mismatch { blob, got }.into());
    }
    if start == descriptor.size {
        source.spared(descriptor);
    }
    work.resumed.fetch_add(start, Ordering::Relaxed);
    Ok(())
}
