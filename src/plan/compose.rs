//! Files, regions and shards → layers without digests, and each file as extents of them.

use std::sync::Arc;

use super::case::Case;
use super::content::{self, Member, Segment, Segments};
use super::layer::{Draft, LayerKind};
use super::split::{Piece, Placement, Split};
use super::survey::{Survey, Surveyed};
use super::{PlanError, gather};
use crate::model::source::ModelFile;
use crate::model::{Extent, Role, Test};

/// Where skeletons stand, by the path of the file that was split.
const SKELETON_FOLDER: &str = ".modelctl/skeleton";
/// Where the smoke tests stand.
const TESTS_PATH: &str = ".modelctl/tests.tar";

/// What an artifact consists of, before anything was hashed.
#[derive(Debug, Default)]
pub(super) struct Composition {
    /// The layers but for the model manifest; in the order of the manifest once it is complete.
    pub(super) drafts: Vec<Draft>,
    /// The files, sorted by path.
    pub(super) entries: Vec<Entry>,
    /// Graph, tensor and place of each tensor in a shard; the shard is a layer.
    pub(super) tensors: Vec<(usize, usize, Placement)>,
    /// The smoke tests.
    pub(super) tests: Vec<Test>,
}

/// A file of the artifact.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) file: Arc<ModelFile>,
    pub(super) role: Role,
    /// Where its bytes stand; `layer` is an index into the drafts.
    pub(super) extents: Vec<Extent>,
}

/// Puts together the layers of an artifact.
pub(super) fn compose(survey: &Survey, cases: Vec<Case>) -> Result<Composition, PlanError> {
    let split = Split::new(survey)?;
    let mut composition = Composition::default();
    composition.add_shards(&split);
    let mut others = Vec::new();
    for (index, source) in survey.files.iter().enumerate() {
        let graph = split.graph_layer(index)?;
        if graph.is_some() || split.is_split(index) {
            composition.add_split(source, &split.pieces(index))?;
            composition.add_graph(source, graph);
            continue;
        }
        match whole_kind(source) {
            Some(kind) => composition.add_whole(kind, source),
            None => others.push(source),
        }
    }
    gather::add_files(&mut composition, others)?;
    composition.add_tests(cases)?;
    composition.put_in_order();
    Ok(composition)
}

/// The kind of layer that a file is on its own, unless it is one of many others.
fn whole_kind(source: &Surveyed) -> Option<LayerKind> {
    if source.model.is_some() {
        Some(LayerKind::Graph)
    } else if source.content.is_weights() {
        Some(LayerKind::Weights)
    } else {
        None
    }
}

impl Composition {
    /// Adds a layer and says which one it is.
    pub(super) fn add(&mut self, draft: Draft) -> u32 {
        self.drafts.push(draft);
        u32::try_from(self.drafts.len() - 1).expect("the manifest is limited long before")
    }

    /// Adds the shards. They are the first layers: until all are in order, the index of a shard is
    /// that of its layer.
    fn add_shards(&mut self, split: &Split) {
        for shard in &split.shards.list {
            let mut segments = Vec::new();
            let mut end = 0;
            let mut tensors = 0;
            for &(index, offset) in &shard.parts {
                let region = &split.regions[index];
                let file = &split.survey.files[region.file].file;
                segments.push(Segment::Zeros(offset - end));
                segments.push(range(file, region.offset, region.length));
                end = offset + region.length;
                tensors += region.users.len();
            }
            self.add(Draft {
                kind: LayerKind::Weights,
                order: shard.order.clone(),
                path: shard.path.clone(),
                content: segments.into_iter().collect(),
                tensors,
            });
        }
        for (graph, tensors) in &split.shards.tensors {
            let tensors = tensors.iter();
            self.tensors
                .extend(tensors.map(|(index, place)| (*graph, *index, *place)));
        }
    }

    /// Adds the layer of a graph that is split, or named as external data by one that is.
    fn add_graph(&mut self, source: &Surveyed, content: Option<Segments>) {
        if source.model.is_some() {
            let content = content.unwrap_or_else(|| Segments::whole(&source.file));
            let path = source.file.path.clone();
            self.add(Draft::new(LayerKind::Graph, path, content));
        }
    }

    /// Adds a file that is a layer of its own. Some registries refuse empty blobs: an empty file
    /// has none.
    pub(super) fn add_whole(&mut self, kind: LayerKind, source: &Surveyed) {
        let mut extents = Vec::new();
        if source.file.size > 0 {
            let path = source.file.path.clone();
            let layer = self.add(Draft::new(kind, path, Segments::whole(&source.file)));
            extents.push((layer, 0, source.file.size).into());
        }
        self.add_entry(source, extents);
    }

    /// Adds a file whose bytes stand in several layers: shards, and its skeleton.
    fn add_split(&mut self, source: &Surveyed, pieces: &[Piece]) -> Result<(), PlanError> {
        let skeleton = self.drafts.len() as u32;
        let mut kept = Vec::new();
        let mut kept_size = 0;
        let mut extents = Vec::new();
        for piece in pieces {
            match *piece {
                Piece::Kept { offset, length } => {
                    kept.push(range(&source.file, offset, length));
                    push_extent(&mut extents, (skeleton, kept_size, length).into());
                    kept_size += length;
                }
                Piece::Left {
                    shard,
                    offset,
                    length,
                } => push_extent(&mut extents, (shard as u32, offset, length).into()),
            }
        }
        if kept_size > 0 {
            let path = format!("{SKELETON_FOLDER}/{}", source.file.path).parse()?;
            let content = kept.into_iter().collect();
            self.add(Draft::new(LayerKind::Skeleton, path, content));
        }
        self.add_entry(source, extents);
        Ok(())
    }

    pub(super) fn add_entry(&mut self, source: &Surveyed, extents: Vec<Extent>) {
        self.entries.push(Entry {
            file: Arc::clone(&source.file),
            role: source.role(),
            extents,
        });
    }

    fn add_tests(&mut self, cases: Vec<Case>) -> Result<(), PlanError> {
        let mut members = Vec::new();
        for case in cases {
            self.tests.push(case.test);
            members.extend(case.members);
        }
        if members.is_empty() {
            return Ok(());
        }
        let archive = content::archive(&members).map_err(PlanError::Read)?;
        let path = TESTS_PATH.parse().expect("the path is safe");
        let layer = self.add(Draft::new(LayerKind::Tests, path, archive.content));
        for (Member { file, .. }, offset) in members.into_iter().zip(archive.offsets) {
            self.entries.push(Entry {
                extents: extents_in_tar(layer, offset, file.size),
                role: Role::Test,
                file,
            });
        }
        Ok(())
    }

    /// Sorts layers and files, and makes everything that names a layer follow.
    fn put_in_order(&mut self) {
        let mut order: Vec<usize> = (0..self.drafts.len()).collect();
        order.sort_by_key(|&old| (self.drafts[old].kind, &self.drafts[old].order));
        let mut places = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            places[old] = new;
        }
        self.drafts = order.iter().map(|&old| self.drafts[old].clone()).collect();
        self.entries.sort_by(|a, b| a.file.path.cmp(&b.file.path));
        for extent in self.entries.iter_mut().flat_map(|entry| &mut entry.extents) {
            extent.layer = places[extent.layer as usize] as u32;
        }
        for (_, _, place) in &mut self.tensors {
            place.shard = places[place.shard];
        }
    }
}

fn range(file: &Arc<ModelFile>, offset: u64, length: u64) -> Segment {
    Segment::Range {
        file: Arc::clone(file),
        offset,
        length,
    }
}

/// Adds an extent, merged with the last one where it goes on from there.
fn push_extent(extents: &mut Vec<Extent>, next: Extent) {
    match extents.last_mut() {
        Some(last) if last.layer == next.layer && last.offset + last.length == next.offset => {
            last.length += next.length;
        }
        _ => extents.push(next),
    }
}

/// The extents of a member of a tar: an empty file has none.
pub(super) fn extents_in_tar(layer: u32, offset: u64, size: u64) -> Vec<Extent> {
    let extent = (size > 0).then(|| (layer, offset, size).into());
    extent.into_iter().collect()
}
