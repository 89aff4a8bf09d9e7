//! What commands need from outside, found from options and environment: the store, registries.

use std::path::PathBuf;

use modelctl::plan::DigestCache;
use modelctl::store::{Layout, Scratch};
use modelctl::transfer::{CopyOptions, Jobs};

use super::{Environment, Settings};
use crate::failure::Failure;

/// Options and environment together.
pub(crate) struct Context {
    environment: Environment,
    store: Option<PathBuf>,
}

impl Context {
    /// Puts them together; looks at nothing yet.
    pub(crate) fn new(environment: Environment, store: Option<PathBuf>) -> Self {
        Self { environment, store }
    }

    /// The environment.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The folder of the local store.
    pub(crate) fn store_path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.store {
            return Ok(path.clone());
        }
        match self.settings()?.store {
            Some(path) => Ok(path),
            None => self.environment.default_store(),
        }
    }

    /// The local store, made if it is not there.
    pub(crate) fn store(&self) -> Result<Layout, Failure> {
        Ok(Layout::open_or_create(&self.store_path()?)?)
    }

    /// A new folder beside the blobs of the store, where there is room for a model; it goes when it
    /// is dropped.
    pub(crate) fn scratch(&self) -> Result<Scratch, Failure> {
        Ok(self.store()?.scratch()?)
    }

    /// The digests that are known; without a home there is nowhere to keep them.
    pub(crate) fn digest_cache(&self) -> Option<DigestCache> {
        let folder = self.environment.cache()?;
        Some(DigestCache::open(&folder))
    }

    /// How copies are made.
    pub(crate) fn copy_options(&self, jobs: Option<u8>) -> CopyOptions {
        CopyOptions {
            jobs: jobs_of(jobs),
            ..CopyOptions::default()
        }
    }

    /// The settings file's content; without a home there is none.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        match self.environment.settings() {
            Some(file) => Settings::read(&file),
            None => Ok(Settings::default()),
        }
    }
}

/// What `--jobs` says.
pub(crate) fn jobs_of(given: Option<u8>) -> Jobs {
    given.map_or(Jobs::Auto, |jobs| Jobs::Fixed(usize::from(jobs)))
}
