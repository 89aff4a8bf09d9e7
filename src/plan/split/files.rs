//! What becomes of each file.

use super::Region;
use super::region::regions;
use super::shard::Shards;
use crate::plan::PlanError;
use crate::plan::survey::Survey;

/// What leaves which file for which shard.
#[derive(Debug)]
pub(in crate::plan) struct Split<'a> {
    pub(in crate::plan) survey: &'a Survey,
    /// What leaves, sorted by file and offset.
    pub(in crate::plan) regions: Vec<Region>,
    pub(in crate::plan) shards: Shards,
}

/// A piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Piece {
    /// A range that stays: it goes into the file's skeleton.
    Kept {
        /// Offset in the file, in bytes.
        offset: u64,
        /// Length in bytes, never 0.
        length: u64,
    },
    /// A region that leaves.
    Left {
        /// Index of its shard.
        shard: usize,
        /// Offset in the shard, in bytes.
        offset: u64,
        /// Length in bytes.
        length: u64,
    },
}

impl<'a> Split<'a> {
    /// Decides it.
    pub(in crate::plan) fn new(survey: &'a Survey) -> Result<Self, PlanError> {
        let regions = regions(survey);
        let shards = Shards::new(survey, &regions)?;
        Ok(Self {
            survey,
            regions,
            shards,
        })
    }

    /// Whether anything leaves a file of the survey.
    pub(in crate::plan) fn is_split(&self, file: usize) -> bool {
        let found = self
            .regions
            .binary_search_by_key(&file, |region| region.file);
        found.is_ok()
    }

    /// The pieces of a file, in order: put one after the other they are the file.
    pub(in crate::plan) fn pieces(&self, file: usize) -> Vec<Piece> {
        let first = self.regions.partition_point(|region| region.file < file);
        let regions = self.regions[first..]
            .iter()
            .zip(&self.shards.regions[first..]);
        let mut pieces = Vec::new();
        let mut end = 0;
        for (region, &(shard, offset)) in regions.take_while(|(region, _)| region.file == file) {
            keep(&mut pieces, end, region.offset);
            let length = region.length;
            pieces.push(Piece::Left {
                shard,
                offset,
                length,
            });
            end = region.offset + length;
        }
        keep(&mut pieces, end, self.survey.files[file].file.size);
        pieces
    }
}

fn keep(pieces: &mut Vec<Piece>, start: u64, end: u64) {
    if start < end {
        let (offset, length) = (start, end - start);
        pieces.push(Piece::Kept { offset, length });
    }
}
