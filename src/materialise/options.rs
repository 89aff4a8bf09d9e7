//! What a caller can ask of a pull, and what it gets.

use crate::model::source::Globs;
use crate::model::{Form, ModelDir};
use crate::transfer::Jobs;

/// What to write, and over what.
#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    /// Only files (in the split form: layers) that these patterns name. A part of a model is
    /// written as with `bare`, since it is not complete.
    pub only: Option<Globs>,
    /// The original files, or the layers under their own names.
    pub form: Form,
    /// Leaves out the folder `.modelctl`: the model's own files and nothing else.
    pub bare: bool,
    /// Replaces a folder that no pull wrote.
    pub force: bool,
    /// How many blobs are fetched at a time.
    pub jobs: Jobs,
}

/// What a pull has written.
#[derive(Debug, Clone)]
pub struct PullReport {
    /// How many files.
    pub files: usize,
    /// How many bytes they have.
    pub size: u64,
    /// How many bytes of blobs were fetched.
    pub fetched: u64,
    /// How many were there already, from a pull that did not come to its end.
    pub resumed: u64,
    /// Whether nothing was to be done: everything was in place.
    pub in_place: bool,
    /// The folder, unless it lacks files or the model manifest.
    pub directory: Option<ModelDir>,
}
