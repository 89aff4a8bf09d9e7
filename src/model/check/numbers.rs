//! Numbers that every JSON reader gets right, and sums that cannot overflow.

use super::{Rule, Violation};
use crate::model::{MAX_NUMBER, ModelManifest};

/// Checks sizes, offsets, lengths and dimensions, and the sum of all file sizes.
pub(super) fn check(manifest: &ModelManifest) -> Result<(), Violation> {
    for layer in &manifest.layers {
        below(layer.size, || format!("layer `{}`", layer.path))?;
    }
    let mut total = 0u64;
    for file in &manifest.files {
        let subject = || format!("file `{}`", file.path);
        below(file.size, subject)?;
        for extent in &file.extents {
            below(extent.offset.max(extent.length), subject)?;
        }
        // Both are below 2^53 here.
        total += file.size;
        below(total, || "the sum of all file sizes".to_owned())?;
    }
    for tensor in &manifest.tensors {
        let dimensions = tensor.shape.iter().copied();
        let largest = dimensions.chain([tensor.offset, tensor.length]).max();
        below(largest.unwrap_or(0), || format!("tensor `{}`", tensor.name))?;
    }
    for test in &manifest.tests {
        let largest = test.shapes.values().flatten().max();
        below(largest.copied().unwrap_or(0), || {
            format!("test `{}`", test.case)
        })?;
    }
    Ok(())
}

fn below(number: u64, subject: impl FnOnce() -> String) -> Result<(), Violation> {
    if number <= MAX_NUMBER {
        return Ok(());
    }
    let detail = format!("{}: {number} is more than {MAX_NUMBER}", subject());
    Err(Violation::new(Rule::Number, detail))
}
