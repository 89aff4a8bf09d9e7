//! Walks a folder, in the order of names, so that even errors do not depend on the file system.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::selection::Rules;
use super::{ModelFile, Selection, SourceError, reserved};
use crate::model::{FilePath, OWN_FOLDER, clash};

/// The files of a model, and what was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The files, sorted by path.
    pub files: Vec<ModelFile>,
    /// What was left out, sorted: a folder left out whole is one entry, with a `/` at its end.
    pub left_out: Vec<String>,
}

/// Walks a folder. Errors name the first thing, in the order of paths, that cannot be packed.
pub fn walk(root: &Path, selection: &Selection) -> Result<Source, SourceError> {
    let mut walker = Walker {
        rules: Rules::read(root, selection)?,
        source: Source::default(),
    };
    walker.folder(root, "", false)?;
    let Source { files, left_out } = &mut walker.source;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    left_out.sort();
    if let Some((a, b)) = clash(files.iter().map(|file| &file.path)) {
        return Err(SourceError::Clash {
            first: a.min(b).clone(),
            second: a.max(b).clone(),
        });
    }
    Ok(walker.source)
}

struct Walker {
    rules: Rules,
    source: Source,
}

impl Walker {
    /// Walks one folder. `outside`: it is left out itself, and only walked because an `--include`
    /// pattern might name something in it.
    fn folder(&mut self, folder: &Path, prefix: &str, outside: bool) -> Result<(), SourceError> {
        for (name, location) in entries(folder)? {
            let Ok(name) = name.into_string() else {
                if outside {
                    continue;
                }
                return Err(SourceError::NotUnicode(location));
            };
            self.entry(format!("{prefix}{name}"), location, outside)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: String, location: PathBuf, outside: bool) -> Result<(), SourceError> {
        let metadata =
            fs::symlink_metadata(&location).map_err(|source| SourceError::io(&location, source))?;
        let is_folder = metadata.is_dir();
        let left_out = self.rules.leaves_out(&path, is_folder, outside);
        if is_folder && (!left_out || self.rules.may_include_below()) {
            if !left_out && reserved::is_own_folder(&path) {
                reserved::check_pulled(&location)?;
                self.source.left_out.push(path + "/");
                return Ok(());
            }
            return self.folder(&location, &format!("{path}/"), left_out);
        }
        if left_out {
            let end = if is_folder { "/" } else { "" };
            self.source.left_out.push(path + end);
            return Ok(());
        }
        let path: FilePath = path.parse()?;
        if path.folded() == OWN_FOLDER {
            return Err(SourceError::Reserved(location));
        }
        let file = ModelFile::from_metadata(path, location, &metadata)?;
        self.source.files.push(file);
        Ok(())
    }
}

/// The entries of a folder, sorted by name, so that errors do not depend on the file system.
fn entries(folder: &Path) -> Result<Vec<(OsString, PathBuf)>, SourceError> {
    let read = || -> io::Result<Vec<_>> {
        fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| (entry.file_name(), entry.path())))
            .collect()
    };
    let mut found = read().map_err(|source| SourceError::io(folder, source))?;
    found.sort();
    Ok(found)
}
