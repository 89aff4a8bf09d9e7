//! Extents: every file is exactly the ranges that it names, and no range leads outside a layer.

use std::collections::HashMap;

use super::{Rule, Violation};
use crate::model::{Extent, File, FilePath, ModelManifest, Sha256};
use crate::oci::Digest;

/// Checks the extents and the digest of every file.
pub(super) fn check(manifest: &ModelManifest) -> Result<(), Violation> {
    for file in &manifest.files {
        check_sum(manifest, file)?;
    }
    let closed = closed_layers(manifest);
    for file in &manifest.files {
        let mut extents = file.extents.iter();
        if let Some(extent) = extents.find(|extent| closed[extent.layer as usize]) {
            let layer = &manifest.layers[extent.layer as usize].path;
            let detail = format!(
                "file `{}` has an extent in layer `{layer}`, which is not the file `{layer}`",
                file.path
            );
            return Err(Violation::new(Rule::ExtentGraph, detail));
        }
        check_digest(manifest, file)?;
    }
    Ok(())
}

fn check_sum(manifest: &ModelManifest, file: &File) -> Result<(), Violation> {
    let mut sum = 0u64;
    for (index, extent) in file.extents.iter().enumerate() {
        check_extent(manifest, file, index)?;
        // A sum that saturates is not below 2^53, as every size is.
        sum = sum.saturating_add(extent.length);
    }
    if sum == file.size {
        return Ok(());
    }
    let detail = format!(
        "file `{}` has {} bytes, its extents {sum}",
        file.path, file.size
    );
    Err(Violation::new(Rule::ExtentSum, detail))
}

fn check_extent(manifest: &ModelManifest, file: &File, index: usize) -> Result<(), Violation> {
    let Extent {
        layer,
        offset,
        length,
    } = file.extents[index];
    let Some(target) = manifest.layers.get(layer as usize) else {
        let detail = format!(
            "extents[{index}] of `{}` names layer {layer} of {}",
            file.path,
            manifest.layers.len()
        );
        return Err(Violation::new(Rule::ExtentLayer, detail));
    };
    let end = offset.checked_add(length);
    if length == 0 || end.is_none_or(|end| end > target.size) {
        let detail = format!(
            "extents[{index}] of `{}` is {length} bytes at {offset} of layer `{}`, which has {} bytes",
            file.path, target.path, target.size
        );
        return Err(Violation::new(Rule::ExtentRange, detail));
    }
    Ok(())
}

/// Which layers have the path of a file without being that file: graph layers of split models.
fn closed_layers(manifest: &ModelManifest) -> Vec<bool> {
    let files: HashMap<&FilePath, &File> = manifest
        .files
        .iter()
        .map(|file| (&file.path, file))
        .collect();
    let layers = manifest.layers.iter().enumerate();
    let closed = layers.map(|(index, layer)| {
        let file = files.get(&layer.path);
        file.is_some_and(|file| manifest.whole_layer(file) != Some(index))
    });
    closed.collect()
}

fn check_digest(manifest: &ModelManifest, file: &File) -> Result<(), Violation> {
    let expected = match manifest.whole_layer(file) {
        Some(index) => manifest.layers[index].digest,
        None if file.extents.is_empty() => Digest::sha256(b""),
        None => return Ok(()),
    };
    // A layer named by its SHA-512 says nothing about the file's SHA-256.
    let differs = Sha256::try_from(expected).is_ok_and(|expected| expected != file.sha256);
    if differs {
        let detail = format!(
            "file `{}` has the SHA-256 {}, its content has {}",
            file.path,
            file.sha256.hex(),
            expected.hex()
        );
        return Err(Violation::new(Rule::FileDigest, detail));
    }
    Ok(())
}
