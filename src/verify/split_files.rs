//! Files that are made of several ranges of layers, hashed by reading those ranges in order.

use crate::Result;
use crate::model::{File, ModelManifest};
use crate::oci::{Algorithm, Descriptor, Hasher, media_type};
use crate::store::{Consumer, Storage, consume};

/// Whether a file has its SHA-256. Its layers were verified before.
pub(super) async fn is_right(
    source: &impl Storage,
    model: &ModelManifest,
    file: &File,
) -> Result<bool> {
    let mut hashed = FileHasher(Hasher::new(Algorithm::Sha256));
    for extent in &file.extents {
        let layer = &model.layers[extent.layer as usize];
        let blob = Descriptor::new(media_type::OCTET_STREAM, layer.digest, layer.size);
        let range = extent.offset..extent.offset + extent.length;
        let reader = source.fetch_range(&blob, range).await?;
        hashed = consume(reader, &blob, hashed).await?;
    }
    Ok(hashed.0.finish() == file.sha256.digest())
}

struct FileHasher(Hasher);

impl Consumer for FileHasher {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.update(bytes);
        Ok(())
    }
}
