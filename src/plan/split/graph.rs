//! A graph layer: the model without the tensors that left.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Split;
use crate::model::FilePath;
use crate::onnx::{self, Content, Model, Move, Piece};
use crate::plan::PlanError;
use crate::plan::content::{Segment, Segments, read_range};

impl Split<'_> {
    /// The graph layer of a graph whose tensors move; `None` where none does, and the file itself
    /// is the layer.
    pub(in crate::plan) fn graph_layer(&self, graph: usize) -> Result<Option<Segments>, PlanError> {
        let source = &self.survey.files[graph];
        let Some(model) = &source.model else {
            return Ok(None);
        };
        let moves = self.moves(graph, model)?;
        if moves.is_empty() {
            return Ok(None);
        }
        let file = source.file.open().map_err(PlanError::Read)?;
        let pieces = onnx::pieces(&file, model, &moves)
            .map_err(|fault| PlanError::onnx(&source.file.path, fault))?;
        let segments = pieces.into_iter().map(|piece| match piece {
            Piece::Original { offset, length } => Segment::Range {
                file: Arc::clone(&source.file),
                offset,
                length,
            },
            Piece::New(bytes) => Segment::Bytes(bytes.into()),
        });
        Ok(Some(segments.collect()))
    }

    /// Where each tensor of a graph goes. What is too small to leave is taken in, if the file that
    /// it stands in is split and so will not be there under its own name.
    fn moves(&self, graph: usize, model: &Model) -> Result<BTreeMap<usize, Move>, PlanError> {
        let folder = self.survey.files[graph].file.path.parent();
        let placements = self.shards.tensors.get(&graph);
        let mut moves = BTreeMap::new();
        for (index, tensor) in model.tensors.iter().enumerate() {
            if let Some(place) = placements.and_then(|placements| placements.get(&index)) {
                let to = Move::External {
                    location: below(&self.shards.list[place.shard].path, folder),
                    offset: place.offset,
                    length: place.length,
                };
                moves.insert(index, to);
            } else if let Some(bytes) = self.lost(graph, &tensor.content)? {
                moves.insert(index, Move::Inline(bytes));
            }
        }
        Ok(moves)
    }

    /// The bytes of an external tensor that would be lost with its file.
    fn lost(&self, graph: usize, content: &Content) -> Result<Option<Vec<u8>>, PlanError> {
        let Content::External {
            location,
            offset,
            length,
        } = content
        else {
            return Ok(None);
        };
        match self.survey.external(graph, location) {
            Some(file) if self.is_split(file) => {
                read_range(&self.survey.files[file].file, *offset, *length)
                    .map(Some)
                    .map_err(PlanError::Read)
            }
            _ => Ok(None),
        }
    }
}

/// A path as seen from a folder that it is below.
fn below(path: &FilePath, folder: &str) -> String {
    let inside = path.as_str().strip_prefix(folder);
    let inside = inside.expect("the owner of a shard is the deepest of its graphs");
    inside.trim_start_matches('/').to_owned()
}
