//! A folder on disk, in any form in which it can have been written.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::contents::{self, Shown};
use super::hash::{Item, hash, unreadable};
use super::ranges::known;
use super::{Check, Code, Finding, VerifyError, parallel};
use crate::Error;
use crate::model::extent_reader::ExtentReader;
use crate::model::folder::{self, Entry};
use crate::model::{
    FilePath, Form, MANIFEST_PATH, MAX_MODEL_MANIFEST_SIZE, ModelDir, ModelManifest,
    SIGNATURES_FOLDER,
};
use crate::oci::{Algorithm, Digest};

/// What may stand at the top of a folder beside a model: signatures do not cover it either.
const IGNORED: [&str; 4] = [".git", ".github", ".gitattributes", ".gitignore"];

/// What was found in a folder.
#[derive(Debug, Clone)]
pub struct DirectoryReport {
    /// Everything that was checked.
    pub findings: Vec<Finding>,
    /// What the files are.
    pub form: Form,
    /// The digest of the model manifest, as it is in the folder.
    pub manifest: Digest,
    /// The folder, if nothing failed.
    pub directory: Option<ModelDir>,
}

/// Reads and checks the model manifest of a folder, and looks at nothing else of it: that the files
/// are those that it names is what [`directory`] finds out. Blocks.
pub fn read_manifest(root: &Path) -> Result<ModelManifest, Error> {
    Ok(ModelManifest::parse_alone(&read(root)?)?)
}

fn read(root: &Path) -> Result<Vec<u8>, VerifyError> {
    let path = root.join(MANIFEST_PATH);
    folder::read_small(&path, MAX_MODEL_MANIFEST_SIZE).map_err(VerifyError::io(&path))
}

/// Verifies a folder that `pull`, oras or modctl wrote: every file is hashed, on several threads. In
/// the split form, each original is hashed through its extents, without being written. Blocks.
pub fn directory(root: &Path) -> Result<DirectoryReport, VerifyError> {
    let bytes = read(root)?;
    let manifest = Digest::sha256(&bytes);
    let model = match ModelManifest::parse_alone(&bytes) {
        Ok(model) => model,
        Err(error) => {
            let finding = Finding::new(Check::ModelManifest, MANIFEST_PATH, Code::Invalid);
            return Ok(DirectoryReport {
                findings: vec![finding.because(error.to_string())],
                form: Form::Original,
                manifest,
                directory: None,
            });
        }
    };
    let entries = folder::walk(root).map_err(VerifyError::io(root))?;
    let entries: BTreeMap<PathBuf, Entry> = entries
        .into_iter()
        .map(|entry| (entry.path.clone(), entry))
        .collect();
    let form = form(&model, &entries);
    let mut findings = vec![Finding::new(
        Check::ModelManifest,
        MANIFEST_PATH,
        Code::Verified,
    )];
    findings.extend(match form {
        Form::Original => originals(root, &model, &entries),
        Form::Split => layers(root, &model, &entries),
    });
    findings.extend(unexpected(&model, form, &entries));
    let clean = !findings.iter().any(Finding::is_failure);
    Ok(DirectoryReport {
        findings,
        form,
        manifest,
        directory: clean.then(|| ModelDir::new(root.to_owned(), model, form)),
    })
}

/// A layer that is no original file is written in the split form only.
fn form(model: &ModelManifest, entries: &BTreeMap<PathBuf, Entry>) -> Form {
    let files: HashSet<&FilePath> = model.files.iter().map(|file| &file.path).collect();
    let layers = model.layers.iter().map(|layer| &layer.path);
    let mut only_layers = layers.filter(|path| !files.contains(path));
    match only_layers.any(|path| entries.contains_key(Path::new(path.as_str()))) {
        true => Form::Split,
        false => Form::Original,
    }
}

/// Looks for what neither the model manifest names nor may stand beside a model.
fn unexpected(
    model: &ModelManifest,
    form: Form,
    entries: &BTreeMap<PathBuf, Entry>,
) -> Vec<Finding> {
    let known: HashSet<&str> = match form {
        Form::Original => model.files.iter().map(|file| file.path.as_str()).collect(),
        Form::Split => model
            .layers
            .iter()
            .map(|layer| layer.path.as_str())
            .collect(),
    };
    let is_known = |entry: &Entry| {
        let path = entry.path.to_str().unwrap_or_default();
        path == MANIFEST_PATH
            || known.contains(path)
            || (entry.is_file() && entry.path.starts_with(SIGNATURES_FOLDER))
            || IGNORED.iter().any(|name| entry.path.starts_with(name))
    };
    let strange = entries
        .values()
        .filter(|entry| !entry.is_folder() && !is_known(entry));
    strange
        .map(|entry| {
            let finding = Finding::new(Check::File, entry.path.to_string_lossy(), Code::Unexpected);
            finding.because("the model manifest does not name it")
        })
        .collect()
}

/// Hashes the files of a pulled folder.
fn originals(
    root: &Path,
    model: &ModelManifest,
    entries: &BTreeMap<PathBuf, Entry>,
) -> Vec<Finding> {
    parallel::map(&model.files, |file| {
        let item = Item {
            check: Check::File,
            path: &file.path,
            size: file.size,
            digest: file.sha256.digest(),
        };
        item.verify(root, entries, &[]).0
    })
}

/// Hashes the layers of a folder in the split form, and the originals through their extents.
fn layers(root: &Path, model: &ModelManifest, entries: &BTreeMap<PathBuf, Entry>) -> Vec<Finding> {
    let known = known(model);
    let layers: Vec<_> = model.layers.iter().zip(known).collect();
    let verified = parallel::map(&layers, |(layer, ranges)| {
        let item = Item {
            check: Check::Layer,
            path: &layer.path,
            size: layer.size,
            digest: layer.digest,
        };
        item.verify(root, entries, ranges)
    });
    let (mut findings, ranges): (Vec<Finding>, Vec<_>) = verified.into_iter().unzip();
    let shown = Shown {
        sound: findings
            .iter()
            .map(|finding| !finding.is_failure())
            .collect(),
        ranges: ranges.into_iter().flatten().collect(),
    };
    findings.extend(shown.tensors(model));
    let files: Vec<_> = model.files.iter().zip(shown.files(model)).collect();
    findings.extend(parallel::map(&files, |(file, right)| {
        if right.is_some() || !shown.has_layers(file) {
            return contents::file(file, *right);
        }
        let reader = ExtentReader::new(root, &model.layers, &file.extents);
        match hash(reader, Algorithm::Sha256, &[]) {
            Ok(read) => contents::file(file, Some(read.digest == file.sha256.digest())),
            Err(error) => unreadable(Check::File, &file.path, &error),
        }
    }));
    findings
}
