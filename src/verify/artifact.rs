//! An artifact in any store.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::contents::{self, Shown};
use super::ranges::{KnownRange, RangeHasher, What, known};
use super::split_files::is_right;
use super::{Check, Code, Finding};
use crate::materialise::fetch_manifest;
use crate::model::{MANIFEST_PATH, ModelManifest};
use crate::oci::{self, Descriptor, Digest, Document, media_type};
use crate::store::{Storage, consume};
use crate::{Error, ErrorKind, Result};

/// How many blobs are read at a time.
const JOBS: usize = 4;

/// How an artifact is verified.
#[derive(Debug, Clone, Default)]
pub struct ArtifactOptions {
    /// Hashes files that are made of several ranges of layers, too, by reading these again: cheap
    /// where the store is on this machine. They are right if the layers are, unless the packer has
    /// named another SHA-256 for them.
    pub split_files: bool,
}

/// Verifies an artifact: every blob is read once. The document is what the caller resolved, and its
/// bytes are those of its digest by construction.
///
/// What is wrong is a finding; an error says that a blob could not be read for another reason.
pub async fn artifact(
    source: &impl Storage,
    artifact: &Document,
    options: &ArtifactOptions,
) -> Result<Vec<Finding>> {
    let manifest = artifact.manifest()?;
    let digest = artifact.digest().to_string();
    let mut findings = vec![Finding::new(Check::Manifest, digest, Code::Verified)];
    let model = match fetch_manifest(source, artifact).await {
        Ok(model) => {
            findings.push(Finding::new(
                Check::ModelManifest,
                MANIFEST_PATH,
                Code::Verified,
            ));
            Some(model)
        }
        Err(error) => {
            findings.push(failure(Check::ModelManifest, MANIFEST_PATH, error)?);
            None
        }
    };
    let blobs = blobs(manifest, model.as_ref());
    let mut failed = HashSet::new();
    let mut ranges = Vec::new();
    let mut checked = stream::iter(blobs)
        .map(|blob| check(source, blob))
        .buffered(JOBS);
    while let Some((digest, finding, shown)) = checked.try_next().await? {
        if finding.is_failure() {
            failed.insert(digest);
        }
        findings.push(finding);
        ranges.extend(shown);
    }
    if let Some(model) = model {
        let sound = model
            .layers
            .iter()
            .map(|layer| !failed.contains(&layer.digest));
        let sound = sound.collect();
        let shown = Shown { sound, ranges };
        findings.extend(shown.tensors(&model));
        findings.extend(files(source, &model, &shown, options).await?);
    }
    Ok(findings)
}

async fn files(
    source: &impl Storage,
    model: &ModelManifest,
    shown: &Shown,
    options: &ArtifactOptions,
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (file, mut right) in model.files.iter().zip(shown.files(model)) {
        if right.is_none() && options.split_files && shown.has_layers(file) {
            right = Some(is_right(source, model, file).await?);
        }
        findings.push(contents::file(file, right));
    }
    Ok(findings)
}

struct Blob {
    check: Check,
    descriptor: Descriptor,
    ranges: Vec<KnownRange>,
}

/// The blobs to read, each once, but for the model manifest, which was read.
fn blobs(manifest: &oci::Manifest, model: Option<&ModelManifest>) -> Vec<Blob> {
    let mut ranges: HashMap<Digest, Vec<KnownRange>> = HashMap::new();
    if let Some(model) = model {
        for (layer, known) in model.layers.iter().zip(known(model)) {
            ranges.entry(layer.digest).or_default().extend(known);
        }
    }
    let layers = manifest.layers.iter().map(|layer| (Check::Layer, layer));
    let mut seen = HashSet::new();
    let mut blobs = Vec::new();
    for (check, descriptor) in [(Check::Config, &manifest.config)]
        .into_iter()
        .chain(layers)
    {
        let read = descriptor.media_type == media_type::LAYER_MANIFEST;
        if read || !seen.insert(descriptor.digest) {
            continue;
        }
        let mut ranges = ranges.remove(&descriptor.digest).unwrap_or_default();
        ranges.sort_by_key(|range| range.offset);
        blobs.push(Blob {
            check,
            descriptor: descriptor.clone(),
            ranges,
        });
    }
    blobs
}

async fn check(source: &impl Storage, blob: Blob) -> Result<(Digest, Finding, Vec<(What, bool)>)> {
    let descriptor = blob.descriptor;
    let read = async {
        let reader = source.fetch(&descriptor).await?;
        consume(reader, &descriptor, RangeHasher::new(blob.ranges)).await
    };
    let digest = descriptor.digest.to_string();
    let subject = descriptor.title().unwrap_or(&digest);
    let (finding, shown) = match read.await {
        Ok(hasher) => {
            let finding = Finding::new(blob.check, subject, Code::Verified);
            (finding.because(&digest), hasher.finish())
        }
        Err(error) => (failure(blob.check, subject, error)?, Vec::new()),
    };
    Ok((descriptor.digest, finding, shown))
}

/// Turns an error into a finding, if it says something about the artifact.
fn failure(check: Check, subject: &str, error: Error) -> Result<Finding> {
    let code = match error.kind() {
        ErrorKind::Mismatch => Code::Mismatch,
        ErrorKind::NotFound => Code::Missing,
        ErrorKind::Unsupported => Code::Invalid,
        _ => return Err(error),
    };
    Ok(Finding::new(check, subject, code).because(error.to_string()))
}
