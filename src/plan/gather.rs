//! Files of no special kind: a layer for each, and a tar for the smallest of very many.

use std::cmp::Reverse;
use std::sync::Arc;

use super::PlanError;
use super::compose::{Composition, extents_in_tar};
use super::content::{self, Member};
use super::layer::{Draft, LayerKind};
use super::survey::Surveyed;
use crate::model::MAX_FILE_LAYERS;

/// Where the others stand.
const FILES_PATH: &str = ".modelctl/files.tar";

/// Adds the files: the largest as layers, the rest in one tar.
pub(super) fn add_files(
    composition: &mut Composition,
    mut files: Vec<&Surveyed>,
) -> Result<(), PlanError> {
    files.sort_by_key(|source| (Reverse(source.file.size), &source.file.path));
    let empty = files.partition_point(|source| source.file.size > 0);
    for source in files.drain(empty..) {
        composition.add_entry(source, Vec::new());
    }
    let mut gathered = files.split_off(files.len().min(MAX_FILE_LAYERS));
    for source in files {
        composition.add_whole(LayerKind::File, source);
    }
    if gathered.is_empty() {
        return Ok(());
    }
    gathered.sort_by_key(|source| &source.file.path);
    let member = |source: &&Surveyed| Member {
        name: source.file.path.clone(),
        file: Arc::clone(&source.file),
    };
    let members: Vec<Member> = gathered.iter().map(member).collect();
    let archive = content::archive(&members).map_err(PlanError::Read)?;
    let path = FILES_PATH.parse().expect("the path is safe");
    let layer = composition.add(Draft::new(LayerKind::Files, path, archive.content));
    for (source, offset) in gathered.into_iter().zip(archive.offsets) {
        let extents = extents_in_tar(layer, offset, source.file.size);
        composition.add_entry(source, extents);
    }
    Ok(())
}
