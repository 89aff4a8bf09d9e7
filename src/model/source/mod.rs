//! A folder on disk → the files of a model, sorted by path.
//!
//! Nothing is dropped in silence: what is left out is listed, and what cannot be packed as it is
//! (a symbolic link, a device, a name that another system could not hold) is an error that names
//! it and the remedy.

mod error;
mod file;
mod globs;
mod identity;
mod reserved;
mod selection;
mod walk;

pub use error::SourceError;
pub use file::ModelFile;
pub use globs::{GlobError, Globs};
pub use identity::Identity;
pub use selection::{IGNORE_FILE, Selection};
pub use walk::{Source, walk};
