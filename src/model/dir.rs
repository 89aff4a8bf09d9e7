//! A folder whose files are known to be those of its model manifest.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::extent_reader::ExtentReader;
use super::{File, ModelManifest, folder};

/// What the files of a folder are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// The files as they were packed.
    #[default]
    Original,
    /// The layers, each under its own path: what oras and modctl write.
    Split,
}

/// A verified folder: only materialising an artifact and verifying a folder make one, so that what
/// runs a model cannot be given files that nobody checked.
///
/// A graph has the same path in both forms: in the split form it is a valid ONNX model, too, with
/// its weights beside it.
#[derive(Debug, Clone)]
pub struct ModelDir {
    root: PathBuf,
    manifest: ModelManifest,
    form: Form,
}

impl ModelDir {
    /// States that every file of `manifest` (in the split form: every layer) stands under `root`
    /// with the content that it names.
    pub(crate) fn new(root: PathBuf, manifest: ModelManifest, form: Form) -> Self {
        Self {
            root,
            manifest,
            form,
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the folder holds.
    pub fn manifest(&self) -> &ModelManifest {
        &self.manifest
    }

    /// What its files are.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Opens an original file of the manifest: itself, or in the split form the ranges of layers
    /// that it is made of.
    pub fn open<'a>(&'a self, file: &'a File) -> io::Result<Box<dyn Read + Send + 'a>> {
        match self.form {
            Form::Original => Ok(Box::new(folder::open_regular(
                &file.path.under(&self.root),
            )?)),
            Form::Split => {
                let layers = &self.manifest.layers;
                Ok(Box::new(ExtentReader::new(
                    &self.root,
                    layers,
                    &file.extents,
                )))
            }
        }
    }
}
