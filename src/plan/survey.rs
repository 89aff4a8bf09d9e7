//! The files to pack → what each one is, and what the ONNX graphs among them say.
//!
//! Every file is looked at, whatever its name; only graphs are read further. The external data that
//! graphs name is there, is part of the model, and is long enough.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{PlanError, PlanOptions};
use crate::model::role::{Content, SNIFF_LENGTH};
use crate::model::source::{self, ModelFile, SourceError};
use crate::model::{FilePath, Role};
use crate::onnx::{self, Model};

/// The files of a model, sorted by path.
#[derive(Debug)]
pub(super) struct Survey {
    /// The folder that the paths start from.
    pub(super) root: PathBuf,
    pub(super) files: Vec<Surveyed>,
    pub(super) left_out: Vec<String>,
}

/// A file and what it is.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) file: Arc<ModelFile>,
    pub(super) content: Content,
    /// The graph, if it is one.
    pub(super) model: Option<Model>,
}

impl Survey {
    /// Looks at a folder, or at a file with the external data that it names.
    pub(super) fn new(path: &Path, options: &PlanOptions) -> Result<Self, PlanError> {
        let metadata = path
            .metadata()
            .map_err(|source| SourceError::io(path, source))?;
        let mut survey = if metadata.is_dir() {
            Self::folder(path, options)?
        } else {
            Self::single(path)?
        };
        survey.mark_external()?;
        if survey.files.is_empty() {
            return Err(PlanError::Empty(path.to_owned()));
        }
        Ok(survey)
    }

    fn folder(path: &Path, options: &PlanOptions) -> Result<Self, PlanError> {
        let source = source::walk(path, &options.selection)?;
        let files = source.files.into_iter().map(Surveyed::new);
        Ok(Self {
            root: path.to_owned(),
            files: files.collect::<Result<_, _>>()?,
            left_out: source.left_out,
        })
    }

    /// A file that the caller named may be a symbolic link: it is read where it is, but it has the
    /// name and the neighbours that it was called by.
    fn single(path: &Path) -> Result<Self, PlanError> {
        let location = path
            .canonicalize()
            .map_err(|source| SourceError::io(path, source))?;
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| SourceError::NotUnicode(path.to_owned()))?;
        let file = Surveyed::new(ModelFile::new(name.parse()?, location)?)?;
        let root = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let locations = file.model.as_ref().map(locations).unwrap_or_default();
        let external = locations.into_iter().map(|location| {
            let path: FilePath = location.parse()?;
            let location = path.under(&root);
            Surveyed::new(ModelFile::new(path, location)?)
        });
        let mut files = external.collect::<Result<Vec<_>, PlanError>>()?;
        files.push(file);
        files.sort_by(|a, b| a.file.path.cmp(&b.file.path));
        files.dedup_by(|a, b| a.file.path == b.file.path);
        Ok(Self {
            root,
            files,
            left_out: Vec::new(),
        })
    }

    /// The graphs, by index.
    pub(super) fn graphs(&self) -> impl Iterator<Item = (usize, &Model)> {
        let files = self.files.iter().enumerate();
        files.filter_map(|(index, file)| Some((index, file.model.as_ref()?)))
    }

    /// The index of the file that a graph names as a location of external data.
    pub(super) fn external(&self, graph: usize, location: &str) -> Option<usize> {
        let path = beside(&self.files[graph].file.path, location);
        let files = &self.files;
        files
            .binary_search_by(|file| file.file.path.as_str().cmp(&path))
            .ok()
    }

    /// The file, offset and length of a tensor's bytes, if they are contiguous.
    pub(super) fn place(&self, graph: usize, content: &onnx::Content) -> Option<(usize, u64, u64)> {
        match content {
            onnx::Content::Inline { offset, length } => Some((graph, *offset, *length)),
            onnx::Content::External {
                location,
                offset,
                length,
            } => Some((self.external(graph, location)?, *offset, *length)),
            onnx::Content::Bound => None,
        }
    }

    /// Finds the files that graphs name as external data, and checks that they are what a loader
    /// accepts (security rows A50, A52 and A53).
    fn mark_external(&mut self) -> Result<(), PlanError> {
        let mut named = BTreeSet::new();
        for (graph, model) in self.graphs() {
            let path = &self.files[graph].file.path;
            for location in locations(model) {
                let missing = || PlanError::MissingExternalData {
                    graph: path.clone(),
                    location: location.to_owned(),
                };
                named.insert(self.external(graph, location).ok_or_else(missing)?);
            }
            onnx::check_external_data(model, &self.root, path.as_str())
                .map_err(|fault| PlanError::onnx(path, fault))?;
        }
        for index in named {
            let file = &mut self.files[index];
            if file.model.is_none() {
                file.content = Content::ExternalData;
            }
        }
        Ok(())
    }
}

impl Surveyed {
    fn new(file: ModelFile) -> Result<Self, PlanError> {
        let handle = file.open().map_err(PlanError::Read)?;
        let mut head = [0; SNIFF_LENGTH];
        let length = handle
            .read_at(&mut head, 0)
            .map_err(|source| SourceError::io(&file.location, source))?;
        let mut content = Content::sniff(&file.path, &head[..length]);
        let mut model = None;
        let is_named = file
            .path
            .file_name()
            .to_ascii_lowercase()
            .ends_with(".onnx");
        if is_named || (content == Content::Unknown && onnx::is_onnx(&handle)) {
            match onnx::read(&handle) {
                Ok(read) => (content, model) = (Content::Onnx, Some(read)),
                Err(fault) if is_named => return Err(PlanError::onnx(&file.path, fault)),
                // Something else that begins like a graph: it travels as it is.
                Err(_) => {}
            }
        }
        Ok(Self {
            file: Arc::new(file),
            content,
            model,
        })
    }

    pub(super) fn role(&self) -> Role {
        Role::of(&self.file.path, self.content)
    }
}

/// The locations of external data in a graph, each once.
fn locations(model: &Model) -> BTreeSet<&str> {
    let contents = model.tensors.iter().map(|tensor| &tensor.content);
    contents
        .filter_map(|content| match content {
            onnx::Content::External { location, .. } => Some(location.as_str()),
            onnx::Content::Inline { .. } | onnx::Content::Bound => None,
        })
        .collect()
}

fn beside(graph: &FilePath, location: &str) -> String {
    match graph.parent() {
        "" => location.to_owned(),
        folder => format!("{folder}/{location}"),
    }
}
