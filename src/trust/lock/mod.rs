//! `modelctl.lock`: which digest a name stood for when somebody looked, and who had signed it.
//!
//! ```text
//! TOML ─ document (strict) ─ Lock ─ hold(reference, digest) ─► the entry, or how it differs
//!                             └─ to_toml: sorted, a member a line ─► file::change, atomic
//! ```
//!
//! A lock never leads anywhere by itself: a reference is resolved as always, and what it leads to has
//! to be what is locked. So a tag that was moved is an error that says from what to what (security row
//! A34). The document's JSON Schema is `schema/lock.v1.json`.

mod document;
mod entries;
mod error;
mod file;

pub use document::{EntryDocument, LockDocument};
pub use entries::{Entry, Lock, Name, Put};
pub use error::LockError;
pub use file::{change, load};

/// The largest lock file that is read, in bytes: some 4,000 entries.
pub const MAX_LOCK_SIZE: u64 = 1024 * 1024;

#[cfg(test)]
mod tests;
