//! Uploads that were broken off, remembered across processes: blob and repository → the session at
//! the registry that has a part of it.
//!
//! One small file for each, in a folder that the caller names:
//!
//! ```text
//! <state>/uploads/<key>.json    registry, repository, digest, location, offset
//! <state>/uploads/<key>.lock    locked by the process that is sending it
//! ```
//!
//! Invariants: a file holds no credential, and only a location at the registry itself, whose
//! requests need the credentials of the user all the same; files are readable by their owner only
//! and replaced as a whole; what is read is bounded and checked like an answer of the registry;
//! what is older than a day is removed, and at most so many are kept. Nothing here ever fails a
//! push: what cannot be remembered is sent again.

mod claim;
mod folder;
mod record;

pub(crate) use claim::Claim;
pub(crate) use folder::Unfinished;
#[cfg(fuzzing)]
pub(crate) use record::Key;
pub(crate) use record::Record;
