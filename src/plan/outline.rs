//! An artifact before anything is hashed: its layers and their lengths are known, and that it can
//! be packed; its digests are not.

use std::path::Path;

use super::artifact::{ArtifactPlan, PlannedLayer};
use super::compose::{self, Composition};
use super::hash::Contents;
use super::survey::Survey;
use super::{Hashed, PlanError, PlanOptions, case, document};

/// An artifact without digests. Hashing it gives the plan, and on the way each layer as soon as it
/// is known, so that it can be sent while the next is hashed.
pub struct Outline {
    survey: Survey,
    composition: Composition,
    options: PlanOptions,
    contents: Contents,
    hashed: Hashed,
    /// The plan with other digests: whatever does not depend on them is right.
    expected: ArtifactPlan,
}

impl Outline {
    /// Outlines the artifact of a folder, or of one file and the external data that it names. Looks
    /// at every file and reads its structure, no weights. Blocks: call it on a thread of its own.
    ///
    /// # Errors
    /// The first thing that cannot be packed, by name.
    pub fn new(path: &Path, options: &PlanOptions) -> Result<Self, PlanError> {
        let survey = Survey::new(path, options)?;
        let cases = case::cases(&survey, &options.tests)?;
        let composition = compose::compose(&survey, cases)?;
        let contents = Contents::new(&survey, &composition);
        // What a pull would refuse, or no registry takes, is found out before a byte is sent.
        let digests = contents.placeholders();
        let model_manifest = document::model_manifest(&survey, &composition, &digests, options);
        let expected = document::assemble(&composition, model_manifest, options)?;
        Ok(Self {
            survey,
            composition,
            options: options.clone(),
            contents,
            hashed: Hashed::default(),
            expected,
        })
    }

    /// Reads and hashes every file. Blocks as `new` does, for as long as the disk or the processor
    /// need.
    ///
    /// # Errors
    /// A file that cannot be read, or changed since it was outlined.
    pub fn plan(self) -> Result<ArtifactPlan, PlanError> {
        self.plan_telling(|_| true)
    }

    /// The same; tells each layer but the model manifest and its signature as soon as its digest is known, in no
    /// order, and gives up when `told` says that no more is wanted.
    pub(crate) fn plan_telling(
        mut self,
        told: impl Fn(PlannedLayer) -> bool + Sync,
    ) -> Result<ArtifactPlan, PlanError> {
        // The first layers are no drafts: the model manifest, and the signature over it.
        let own = self.expected.layers.len() - self.composition.drafts.len();
        let layers = &self.expected.layers[own..];
        let cache = self.options.cache.as_ref();
        let told = |index: usize, digest| {
            let mut layer = layers[index].clone();
            layer.descriptor.digest = digest;
            told(layer)
        };
        let digests = self.contents.hash(cache, &told, &self.hashed)?;
        let (survey, options) = (&self.survey, &self.options);
        let model_manifest = document::model_manifest(survey, &self.composition, &digests, options);
        let plan = document::assemble(&self.composition, model_manifest, options)?;
        Ok(ArtifactPlan {
            left_out: std::mem::take(&mut self.survey.left_out),
            ..plan
        })
    }

    /// Whether every digest is remembered, so that planning reads no content.
    pub fn is_remembered(&self) -> bool {
        let cache = self.options.cache.as_ref();
        cache.is_some_and(|cache| self.contents.are_known_to(cache))
    }

    /// Tells from now on how much was hashed.
    pub fn hashed(&self) -> Hashed {
        self.hashed.clone()
    }

    /// How many files the artifact has.
    pub fn files(&self) -> usize {
        self.expected.model_manifest.files.len()
    }

    /// How many layers it has.
    pub fn layers(&self) -> usize {
        self.expected.layers.len()
    }

    /// The length of the original files, in bytes.
    pub fn original_size(&self) -> u64 {
        self.expected.original_size()
    }

    /// The length of all blobs, manifest and config included, in bytes.
    pub fn stored_size(&self) -> u64 {
        self.expected.stored_size()
    }

    /// What of the folder was left out, sorted; a folder is one entry and ends in `/`.
    pub fn left_out(&self) -> &[String] {
        &self.survey.left_out
    }
}
