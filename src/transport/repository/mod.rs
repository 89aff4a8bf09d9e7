//! One repository of a registry: the verbs of a store as requests (distribution-spec 1.1).

mod blob_fetch;
mod blob_push;
mod delete;
mod handle;
mod manifest;
mod mount;
mod pages;
mod referrers;
mod referrers_tag;
mod storage;
mod tags;

pub use handle::Repository;
