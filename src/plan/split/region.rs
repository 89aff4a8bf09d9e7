//! Regions: the ranges of files that leave for shards.
//!
//! Tensors that share bytes of an external-data file, in one graph or in several, share a region,
//! so that every byte of a file is in one region or in none.

use super::identity::Identity;
use crate::plan::survey::Survey;

/// A range of a file that stands in a shard as one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plan) struct Region {
    /// Index into the files of the survey.
    pub(in crate::plan) file: usize,
    /// Offset in the file, in bytes.
    pub(in crate::plan) offset: u64,
    /// Length in bytes.
    pub(in crate::plan) length: u64,
    /// The tensors in it, in the order of their place.
    pub(in crate::plan) users: Vec<User>,
}

/// A tensor in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) struct User {
    /// Index of the graph into the files of the survey.
    pub(in crate::plan) graph: usize,
    /// Index into the tensors of the graph.
    pub(in crate::plan) tensor: usize,
    /// Offset in the file, in bytes.
    offset: u64,
    /// Length in bytes.
    pub(in crate::plan) length: u64,
}

impl Region {
    /// Where a user's bytes begin in the region.
    pub(in crate::plan) fn offset_of(&self, user: &User) -> u64 {
        user.offset - self.offset
    }

    /// The graph whose folder the shard stands in. A graph can only name files in its own folder
    /// and below, so it is the deepest; of several, the first by path.
    pub(super) fn owner(&self, survey: &Survey) -> usize {
        let depth = |graph: usize| survey.files[graph].file.path.components().count();
        let graphs = self.users.iter().map(|user| user.graph);
        graphs
            .min_by_key(|&graph| (std::cmp::Reverse(depth(graph)), graph))
            .expect("a region has a user")
    }

    /// What the region is: the first of its users' identities.
    pub(super) fn identity(&self, survey: &Survey) -> Identity {
        let identities = self.users.iter().map(|user| {
            let model = survey.files[user.graph].model.as_ref();
            Identity::of(&model.expect("users are of graphs").tensors[user.tensor])
        });
        identities.min().expect("a region has a user")
    }
}

/// Finds what can leave, sorted by file and offset.
pub(super) fn regions(survey: &Survey) -> Vec<Region> {
    let mut leaving: Vec<(usize, User)> = survey
        .graphs()
        .flat_map(|(graph, model)| {
            let tensors = model.tensors.iter().enumerate();
            let leaving = tensors.filter(|(_, tensor)| tensor.can_leave());
            leaving.filter_map(move |(index, tensor)| {
                let (file, offset, length) = survey.place(graph, &tensor.content)?;
                let user = User {
                    graph,
                    tensor: index,
                    offset,
                    length,
                };
                Some((file, user))
            })
        })
        .collect();
    leaving.sort_by_key(|(file, user)| (*file, user.offset, user.graph, user.tensor));
    let mut regions: Vec<Region> = Vec::new();
    for (file, user) in leaving {
        let end = user.offset + user.length;
        match regions.last_mut() {
            Some(last) if last.file == file && user.offset < last.offset + last.length => {
                last.length = last.length.max(end - last.offset);
                last.users.push(user);
            }
            _ => regions.push(Region {
                file,
                offset: user.offset,
                length: user.length,
                users: vec![user],
            }),
        }
    }
    regions
}
