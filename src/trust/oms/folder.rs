//! A model on disk: a folder, or one file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{IgnorePaths, OmsError, Resource, Resources};
use crate::model::Sha256;
use crate::model::folder::{self, Entry};
use crate::verify::{digest_of, parallel};

/// A model on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    root: PathBuf,
    name: String,
    is_file: bool,
}

/// Something in a folder that is neither left out nor a folder itself.
#[derive(Debug)]
pub(super) struct Found {
    /// Its path from the root; of a model that is one file, the name of that.
    pub(super) name: String,
    /// Where it is.
    pub(super) location: PathBuf,
    /// Why it cannot be signed; `None` for a regular file.
    pub(super) fault: Option<&'static str>,
}

impl Folder {
    /// Opens a folder or file. A link that the caller names is followed, as everywhere; links in
    /// the folder are not.
    pub fn open(path: &Path) -> Result<Self, OmsError> {
        let root = path.canonicalize().map_err(OmsError::io(path))?;
        let metadata = fs::metadata(&root).map_err(OmsError::io(path))?;
        if !metadata.is_dir() && !metadata.is_file() {
            let cause = io::Error::new(io::ErrorKind::InvalidInput, "it is no folder and no file");
            return Err(OmsError::io(path)(cause));
        }
        let is_file = metadata.is_file();
        // A file has the name that it was called by; a folder called `.` has its own.
        let named = match is_file {
            true => path.file_name(),
            false => path.file_name().or(root.file_name()),
        };
        let name = named.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into());
        Ok(Self {
            root,
            name,
            is_file,
        })
    }

    /// Its name: what a statement calls the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is one file.
    pub(super) fn is_file(&self) -> bool {
        self.is_file
    }

    /// The path from the root of a file that is in the folder; `None` for one that is elsewhere. The
    /// file need not be there yet.
    pub fn path_of(&self, file: &Path) -> Option<String> {
        let folder = match file.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let file = folder.canonicalize().ok()?.join(file.file_name()?);
        let path = file.strip_prefix(&self.root).ok()?.to_str()?;
        (!path.is_empty()).then(|| path.to_owned())
    }

    /// What a signature over the model leaves out: the git names, the signature file if it is in the
    /// folder, and what the caller names, by its path from the root of the model or by an absolute
    /// one.
    pub fn ignoring(&self, signature: &Path, paths: &[PathBuf]) -> Result<IgnorePaths, OmsError> {
        let mut list = IgnorePaths::git();
        for path in paths {
            let inside = match path.is_absolute() {
                true => self.path_of(path),
                false => None,
            };
            list.add(&inside.unwrap_or_else(|| path.to_string_lossy().into_owned()))?;
        }
        if let Some(path) = self.path_of(signature) {
            // It is no choice of the caller's: its name may have the characters of patterns.
            list.add_recorded(&path)?;
        }
        Ok(list)
    }

    /// Hashes every file that is not left out, on several threads. Blocks.
    ///
    /// # Errors
    /// The first thing, in the order of names, that cannot be signed: a link, a device, a name that
    /// is not UTF-8.
    pub fn hash(&self, ignore_paths: &IgnorePaths) -> Result<Resources, OmsError> {
        let found = self.list(ignore_paths)?;
        if let Some((path, reason)) = found.iter().find_map(|f| Some((&f.name, f.fault?))) {
            return Err(OmsError::File {
                path: path.clone(),
                reason,
            });
        }
        let hashed = parallel::map(&found, |file| {
            let name = file.name.parse()?;
            let sha256 = sha256_of(&file.location).map_err(OmsError::io(&file.location))?;
            Ok(Resource { name, sha256 })
        });
        Resources::sorted(hashed.into_iter().collect::<Result<_, OmsError>>()?)
    }

    /// Lists what is not left out, sorted by path.
    pub(super) fn list(&self, ignore_paths: &IgnorePaths) -> Result<Vec<Found>, OmsError> {
        if self.is_file {
            return Ok(vec![Found {
                name: self.name.clone(),
                location: self.root.clone(),
                fault: None,
            }]);
        }
        let entries = folder::walk(&self.root).map_err(OmsError::io(&self.root))?;
        let entries = entries.iter().filter(|entry| !entry.is_folder());
        let found = entries.map(|entry| Found::new(&self.root, entry));
        Ok(found
            .filter(|found| !ignore_paths.leave_out(&found.name))
            .collect())
    }
}

impl Found {
    fn new(root: &Path, entry: &Entry) -> Self {
        let (name, is_unicode) = match entry.path.to_str() {
            Some(name) => (name.to_owned(), true),
            None => (entry.path.to_string_lossy().into_owned(), false),
        };
        let fault = if !is_unicode {
            Some("its name is not UTF-8; rename it")
        } else if entry.is_link() {
            Some(
                "it is a symbolic link; put the real file in its place, or leave it out with --ignore-path",
            )
        } else if !entry.is_file() {
            Some("it is not a regular file; leave it out with --ignore-path")
        } else {
            None
        };
        Self {
            name,
            location: root.join(&entry.path),
            fault,
        }
    }
}

/// Reads a regular file to its end.
pub(super) fn sha256_of(path: &Path) -> io::Result<Sha256> {
    let digest = digest_of(path)?;
    Ok(Sha256::try_from(digest).expect("files are hashed with SHA-256"))
}
