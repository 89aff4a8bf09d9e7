//! Regions → shards: which regions stand together, in which file, and where in it.

use std::collections::{BTreeMap, HashSet};

use super::Region;
use super::cut::{self, Item};
use crate::model::FilePath;
use crate::plan::PlanError;
use crate::plan::survey::Survey;

/// A weights layer made of regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) struct Shard {
    /// The name that graph layers give to it.
    pub(in crate::plan) path: FilePath,
    /// The path of its owner graph, and its number.
    pub(in crate::plan) order: (FilePath, u64),
    /// Indexes of its regions, and where each begins.
    pub(in crate::plan) parts: Vec<(usize, u64)>,
    /// Its length in bytes.
    pub(in crate::plan) size: u64,
}

/// Where a tensor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) struct Placement {
    /// Index of its shard.
    pub(in crate::plan) shard: usize,
    /// Offset in the shard, in bytes.
    pub(in crate::plan) offset: u64,
    /// Length in bytes.
    pub(in crate::plan) length: u64,
}

/// All shards of an artifact.
#[derive(Debug, Clone, Default)]
pub(in crate::plan) struct Shards {
    /// The shards: by owner graph, then by number.
    pub(in crate::plan) list: Vec<Shard>,
    /// By region: its shard and its offset there.
    pub(in crate::plan) regions: Vec<(usize, u64)>,
    /// By graph (an index into the files of the survey) and tensor.
    pub(in crate::plan) tensors: BTreeMap<usize, BTreeMap<usize, Placement>>,
}

impl Shards {
    /// Puts every region into a shard.
    pub(in crate::plan) fn new(survey: &Survey, regions: &[Region]) -> Result<Self, PlanError> {
        let alone = cut::threshold(regions.iter().map(|region| region.length));
        let mut by_owner: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, region) in regions.iter().enumerate() {
            by_owner
                .entry(region.owner(survey))
                .or_default()
                .push(index);
        }
        let taken = survey.files.iter().map(|file| file.file.path.folded());
        let taken: HashSet<String> = taken.collect();
        let mut shards = Self::default();
        for (owner, members) in by_owner {
            let owner = &survey.files[owner].file.path;
            let mut next = 0;
            for group in group(survey, regions, members, alone) {
                let (number, path) = free_name(owner, &mut next, &taken)?;
                let (offsets, size) = cut::lay_out(group.iter().map(|&i| regions[i].length));
                shards.list.push(Shard {
                    path,
                    order: (owner.clone(), number),
                    parts: group.into_iter().zip(offsets).collect(),
                    size,
                });
            }
        }
        shards.place(regions);
        Ok(shards)
    }

    fn place(&mut self, regions: &[Region]) {
        self.regions = vec![(0, 0); regions.len()];
        for (shard, Shard { parts, .. }) in self.list.iter().enumerate() {
            for &(index, offset) in parts {
                self.regions[index] = (shard, offset);
                let region = &regions[index];
                for user in &region.users {
                    let placement = Placement {
                        shard,
                        offset: offset + region.offset_of(user),
                        length: user.length,
                    };
                    let graph = self.tensors.entry(user.graph).or_default();
                    graph.insert(user.tensor, placement);
                }
            }
        }
    }
}

/// Groups the regions of one owner: those that stand alone, then the shards of the rest. Both in
/// the order of identities; equal ones stay in the order of their place.
fn group(
    survey: &Survey,
    regions: &[Region],
    mut members: Vec<usize>,
    alone: u64,
) -> Vec<Vec<usize>> {
    members.sort_by_cached_key(|&index| regions[index].identity(survey));
    let (mut groups, rest): (Vec<_>, Vec<_>) = members
        .into_iter()
        .map(|index| vec![index])
        .partition(|group| regions[group[0]].length >= alone);
    let items: Vec<Item> = rest
        .iter()
        .map(|group| Item {
            mark: regions[group[0]].identity(survey).mark(),
            length: regions[group[0]].length,
        })
        .collect();
    let shards = cut::cut(&items).into_iter();
    groups.extend(shards.map(|range| rest[range].concat()));
    groups
}

/// The next number whose name no file of the model has, and that name.
fn free_name(
    owner: &FilePath,
    next: &mut u64,
    taken: &HashSet<String>,
) -> Result<(u64, FilePath), PlanError> {
    loop {
        let number = *next;
        *next += 1;
        let path: FilePath = format!("{owner}_data_{number}").parse()?;
        if !taken.contains(&path.folded()) {
            return Ok((number, path));
        }
    }
}
