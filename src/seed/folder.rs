//! A folder that an earlier version was written into: by `pull` in either form, or by oras.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::SeedError;
use super::chain::{Cover, Known, Segment};
use super::place::{Place, Root};
use super::seeds::Seeds;
use crate::model::{File, FilePath, MANIFEST_PATH, MAX_MODEL_MANIFEST_SIZE, ModelManifest};

/// Finds what is wanted in a folder. Files that are gone or have another length are left out;
/// whether the rest is what the model manifest says shows when it is used. Blocks.
pub(super) fn add(seeds: &mut Seeds, path: &Path) -> Result<(), SeedError> {
    let unreadable = |cause| SeedError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    let root = Arc::new(Root::open(path).map_err(unreadable)?);
    let manifest: FilePath = MANIFEST_PATH.parse().expect("the path is safe");
    let bytes = root.read_small(&manifest, MAX_MODEL_MANIFEST_SIZE);
    let parsed = ModelManifest::parse_alone(&bytes.map_err(unreadable)?);
    let model = parsed.map_err(|cause| SeedError::Invalid {
        path: path.to_owned(),
        cause,
    })?;
    let mut files = Files {
        root,
        known: HashMap::new(),
    };
    let originals = originals(&model, |file| files.place(seeds, &file.path, file.size));
    seeds.add_model(&model, &originals);
    let layers = layers(seeds, &model, &mut files);
    seeds.add_model(&model, &layers);
    Ok(())
}

/// The files of the folder that have been looked at.
struct Files<'a> {
    root: Arc<Root>,
    /// Place and length, where the file can be read.
    known: HashMap<&'a FilePath, Option<(usize, u64)>>,
}

impl<'a> Files<'a> {
    /// The place of a file that has this length.
    fn place(&mut self, seeds: &mut Seeds, path: &'a FilePath, size: u64) -> Option<usize> {
        let root = &self.root;
        let known = self.known.entry(path).or_insert_with(|| {
            let place = Place::File(Arc::clone(root), path.clone());
            let size = place.size()?;
            Some((seeds.add_place(place), size))
        });
        known.and_then(|(place, there)| (there == size).then_some(place))
    }
}

/// Where the layers are in the original files: the extents, inverted. `place` says which place of the
/// seeds a file is.
pub(super) fn originals<'a>(
    model: &'a ModelManifest,
    mut place: impl FnMut(&'a File) -> Option<usize>,
) -> Vec<Cover> {
    let mut known = vec![Vec::new(); model.layers.len()];
    for file in &model.files {
        let Some(place) = place(file) else {
            continue;
        };
        let mut at = 0;
        for extent in &file.extents {
            known[extent.layer as usize].push(Known {
                start: extent.offset,
                segment: Segment::File {
                    place,
                    offset: at,
                    length: extent.length,
                },
            });
            at += extent.length;
        }
    }
    known.into_iter().map(Cover::new).collect()
}

/// Where they are in a folder in the split form: each is a file.
fn layers<'a>(seeds: &mut Seeds, model: &'a ModelManifest, files: &mut Files<'a>) -> Vec<Cover> {
    let layers = model.layers.iter().map(|layer| {
        let place = files.place(seeds, &layer.path, layer.size);
        let whole = place.filter(|_| layer.size > 0).map(|place| Known {
            start: 0,
            segment: Segment::File {
                place,
                offset: 0,
                length: layer.size,
            },
        });
        Cover::new(whole.into_iter().collect())
    });
    layers.collect()
}
