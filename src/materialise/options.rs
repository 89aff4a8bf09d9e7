//! What a caller can ask of a pull, and what it gets.

use crate::model::source::Globs;
use crate::model::{Form, ModelDir};

/// How many blobs are fetched at a time, if nothing else is said: crane's and modctl's defaults are
/// four and five, and a fifth hardly adds to the throughput of one registry.
const DEFAULT_JOBS: usize = 4;

/// What to write, and over what.
#[derive(Debug, Clone)]
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
    /// How many blobs are fetched at a time, at least 1.
    pub jobs: usize,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            only: None,
            form: Form::Original,
            bare: false,
            force: false,
            jobs: DEFAULT_JOBS,
        }
    }
}

/// What a pull has written.
#[derive(Debug, Clone)]
pub struct PullReport {
    /// How many files.
    pub files: usize,
    /// How many bytes they have.
    pub size: u64,
    /// The folder, unless it lacks files or the model manifest.
    pub directory: Option<ModelDir>,
}
