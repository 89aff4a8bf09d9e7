//! What is asked, and what the gate needs from outside to answer it.

use std::future::Future;
use std::path::Path;
use std::time::SystemTime;

use crate::Result;
use crate::oci::{Digest, Document, Reference};
use crate::store::{Referrers, Storage};
use crate::trust::lock::Lock;
use crate::trust::policy::{Policy, Rule};

/// May this be deployed?
#[derive(Debug)]
pub struct Question<'a> {
    /// What it is called in the report.
    pub name: String,
    /// `registry/repository`, by which the policy has its rules; `None` for what is in none.
    pub repository: Option<String>,
    /// The policy.
    pub policy: &'a Policy,
    /// The lock that has to hold it, if one was named.
    pub lock: Option<&'a Lock>,
    /// What the lock would have it under; `None` for what is in no registry.
    pub reference: Option<Reference>,
    /// Whether the layers are used as they are, and not the files that they are made into: a signature
    /// over files says nothing of graphs without their weights.
    pub as_layers: bool,
    /// The time by which ages are reckoned.
    pub now: SystemTime,
}

/// Where the artifact is.
pub trait Subject: Send + Sync {
    /// The kind of store that it is in.
    type Store: Storage + Referrers;

    /// The store that it is in.
    fn store(&self) -> &Self::Store;

    /// What the tag of cosign's legacy signatures beside the manifest leads to, if there is one.
    fn legacy(&self, manifest: &Digest) -> impl Future<Output = Result<Option<Document>>> + Send;
}

/// Whoever runs smoke tests: not this process, which a hostile model could take down.
pub trait Runner: Send + Sync {
    /// Brings the files of an artifact here, verified, and runs its smoke test.
    fn run_artifact(&self, artifact: &Document) -> impl Future<Output = Ran> + Send;

    /// Verifies a folder and runs its smoke test.
    fn run_folder(&self, folder: &Path) -> impl Future<Output = Ran> + Send;
}

/// How a smoke test ended.
#[derive(Debug)]
pub enum Ran {
    /// It ran to its end.
    Done {
        /// How many cases were run.
        cases: usize,
        /// How many outputs were compared.
        compared: usize,
        /// How many of them differ.
        differing: usize,
        /// The version of ONNX Runtime.
        runtime: String,
    },
    /// The model does not run, or is not what its manifest says.
    Failed(String),
    /// It could not be run, which says nothing about the model.
    Unable(String),
    /// The files could not be fetched.
    Error(crate::Error),
}

impl<'a> Question<'a> {
    /// The rule that decides, if there is one.
    pub fn rule(&self) -> Option<&'a Rule> {
        self.policy.rule_for(self.repository.as_deref())
    }
}
