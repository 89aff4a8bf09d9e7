//! One repository of a registry: the verbs of a store as requests (distribution-spec 1.1).

mod blob_fetch;
mod delete;
mod handle;
mod manifest;
mod mount;
mod pages;
mod referrers;
mod referrers_tag;
mod storage;
mod tags;
mod upload;

pub use handle::Repository;
#[cfg(fuzzing)]
pub(crate) use pages::next_target;
#[cfg(fuzzing)]
pub(crate) use upload::offset_after;
pub(crate) use upload::{Habits, Offered};
