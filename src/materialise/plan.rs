//! Extents, inverted: which ranges of each blob go where.
//!
//! OCI manifest + model manifest → [`PullPlan`]. Reads and writes nothing: it can be shown, and
//! compared with the free space, before the first byte is fetched.

use std::collections::{HashMap, HashSet};

use super::{MaterialiseError, PullOptions};
use crate::model::source::Globs;
use crate::model::{FilePath, Form, ModelManifest, OWN_FOLDER};
use crate::oci::{self, Descriptor, Digest, media_type};

/// What a pull writes, and from which blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullPlan {
    /// The files, in the order of their paths.
    pub files: Vec<PlannedFile>,
    /// The blobs to fetch, each once. Some have no pieces: they are fetched to be verified.
    pub blobs: Vec<PlannedBlob>,
    /// How many bytes are written in all.
    pub size: u64,
    /// The model manifest layer, if it is written: the mark of a complete folder.
    pub mark: Option<Descriptor>,
}

/// A file that a pull writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its path below the target.
    pub path: FilePath,
    /// Its length in bytes.
    pub size: u64,
    /// The digest of its content.
    pub digest: Digest,
    /// Whether it is executable.
    pub executable: bool,
}

/// A blob that a pull fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedBlob {
    /// The layer, or the config.
    pub descriptor: Descriptor,
    /// Where its bytes go, sorted by offset; pieces may overlap.
    pub pieces: Vec<Piece>,
}

/// A range of a blob, and the place where it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    /// Offset in the blob, in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
    /// Index into [`PullPlan::files`].
    pub file: usize,
    /// Offset in the file, in bytes.
    pub at: u64,
}

/// A file with the ranges of layers that it is made of.
struct Source<'a> {
    file: PlannedFile,
    /// Layer, offset, length.
    ranges: Vec<(&'a Descriptor, u64, u64)>,
}

/// Plans a pull. `model` is the manifest that [`fetch_manifest`](super::fetch_manifest) gave for
/// this very artifact.
pub fn plan(
    manifest: &oci::Manifest,
    model: &ModelManifest,
    options: &PullOptions,
) -> Result<PullPlan, MaterialiseError> {
    if model_layers(manifest).count() != model.layers.len() {
        return Err(MaterialiseError::OtherArtifact);
    }
    let all = match options.form {
        Form::Original => originals(manifest, model),
        Form::Split => layers(manifest, model),
    };
    let (mut chosen, left): (Vec<Source<'_>>, Vec<Source<'_>>) = all
        .into_iter()
        .partition(|source| is_wanted(&source.file.path, options));
    let complete = left.is_empty() && !options.bare;
    if !complete {
        // A part of a model has no mark, and then nothing else of the folder that is ours.
        chosen.retain(|source| !source.file.path.is_in(OWN_FOLDER));
    }
    if chosen.is_empty() && options.only.is_some() {
        let names = left.iter().map(|source| source.file.path.to_string());
        return Err(MaterialiseError::NothingNamed(names.collect()));
    }
    let mut blobs = Blobs::default();
    if left.iter().all(|source| source.file.path.is_in(OWN_FOLDER)) {
        // Layers that nothing is written from are verified, too: such a pull vouches for all.
        for descriptor in manifest.blobs().filter(|layer| !is_mark(layer)) {
            blobs.add(descriptor);
        }
    }
    let mark = manifest.layers.iter().find(|layer| is_mark(layer));
    Ok(blobs.plan(chosen, mark.filter(|_| complete).cloned()))
}

fn is_mark(layer: &Descriptor) -> bool {
    layer.media_type == media_type::LAYER_MANIFEST
}

fn is_wanted(path: &FilePath, options: &PullOptions) -> bool {
    let named = |globs: &Globs| globs.names_file(path.as_str());
    options.only.as_ref().is_none_or(named) && !(options.bare && path.is_in(OWN_FOLDER))
}

/// The files as they were packed, and the signatures.
fn originals<'a>(manifest: &'a oci::Manifest, model: &ModelManifest) -> Vec<Source<'a>> {
    let listed: Vec<&Descriptor> = model_layers(manifest).collect();
    let files = model.files.iter().map(|file| Source {
        file: PlannedFile {
            path: file.path.clone(),
            size: file.size,
            digest: file.sha256.digest(),
            executable: file.executable,
        },
        ranges: file
            .extents
            .iter()
            .map(|extent| (listed[extent.layer as usize], extent.offset, extent.length))
            .collect(),
    });
    files.chain(signatures(manifest)).collect()
}

/// The layers as files, and the signatures.
fn layers<'a>(manifest: &'a oci::Manifest, model: &ModelManifest) -> Vec<Source<'a>> {
    let executable: HashSet<&FilePath> = model
        .files
        .iter()
        .filter(|file| file.executable)
        .map(|file| &file.path)
        .collect();
    let layers = model_layers(manifest).zip(&model.layers);
    let files = layers.map(|(descriptor, layer)| {
        let mut source = whole(descriptor, layer.path.clone());
        source.file.executable = executable.contains(&layer.path);
        source
    });
    files.chain(signatures(manifest)).collect()
}

/// The layers that the model manifest lists: all but itself and the signatures, in order.
fn model_layers(manifest: &oci::Manifest) -> impl Iterator<Item = &Descriptor> {
    let listed =
        |layer: &&Descriptor| !is_mark(layer) && layer.media_type != media_type::LAYER_SIGNATURE;
    manifest.layers.iter().filter(listed)
}

fn signatures(manifest: &oci::Manifest) -> impl Iterator<Item = Source<'_>> {
    let layers = manifest.layers_of(media_type::LAYER_SIGNATURE);
    layers.filter_map(|layer| Some(whole(layer, layer.title()?.parse().ok()?)))
}

fn whole(layer: &Descriptor, path: FilePath) -> Source<'_> {
    let ranges = match layer.size {
        0 => Vec::new(),
        size => vec![(layer, 0, size)],
    };
    Source {
        file: PlannedFile {
            path,
            size: layer.size,
            digest: layer.digest,
            executable: false,
        },
        ranges,
    }
}

/// The blobs so far, each once.
#[derive(Default)]
struct Blobs {
    list: Vec<PlannedBlob>,
    index: HashMap<(Digest, u64), usize>,
}

impl Blobs {
    /// Adds a blob unless it is there, and says where it is in the list.
    fn add(&mut self, descriptor: &Descriptor) -> usize {
        let next = self.list.len();
        let at = *{ self.index.entry((descriptor.digest, descriptor.size)) }.or_insert(next);
        if at == next {
            self.list.push(PlannedBlob {
                descriptor: descriptor.clone(),
                pieces: Vec::new(),
            });
        }
        at
    }

    /// Gives each file its pieces.
    fn plan(mut self, sources: Vec<Source<'_>>, mark: Option<Descriptor>) -> PullPlan {
        let mut files = Vec::with_capacity(sources.len());
        for (file, source) in sources.into_iter().enumerate() {
            let mut at = 0;
            for (descriptor, offset, length) in source.ranges {
                let blob = self.add(descriptor);
                self.list[blob].pieces.push(Piece {
                    offset,
                    length,
                    file,
                    at,
                });
                at += length;
            }
            files.push(source.file);
        }
        for blob in &mut self.list {
            blob.pieces.sort();
        }
        // Sizes are below 2^53 and so is their sum, but for the layers of the split form.
        let sizes = files.iter().map(|file| file.size);
        let size = sizes
            .chain(mark.as_ref().map(|mark| mark.size))
            .fold(0, u64::saturating_add);
        PullPlan {
            files,
            blobs: self.list,
            size,
            mark,
        }
    }
}
