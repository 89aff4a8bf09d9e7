//! Where the ONNX Runtime library is: a search of the file system; Python is not run.
//!
//! ```text
//! --ort-lib · ORT_DYLIB_PATH · beside the executable · then of each prefix
//!   $VIRTUAL_ENV · ./.venv · $CONDA_PREFIX · the first python3 on PATH
//! <prefix>/{,local/}lib{,64}/python3*/{site,dist}-packages/onnxruntime/capi/libonnxruntime.so.1.32.0
//! ```
//!
//! A path that the user named is used or refused, never passed over.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Version;
use crate::run::RunError;

/// Where to look for the library. The binary fills it from its arguments and its environment.
#[derive(Debug, Clone, Default)]
pub struct LibrarySearch {
    /// The library that the user named (`--ort-lib`).
    pub explicit: Option<PathBuf>,
    /// The value of `ORT_DYLIB_PATH`; a relative one is taken from the executable's folder first.
    pub dylib_path: Option<PathBuf>,
    /// The folder of the executable.
    pub executable_dir: Option<PathBuf>,
    /// The value of `VIRTUAL_ENV`.
    pub virtual_env: Option<PathBuf>,
    /// The current folder, whose `.venv` is looked at.
    pub current_dir: Option<PathBuf>,
    /// The value of `CONDA_PREFIX`.
    pub conda_prefix: Option<PathBuf>,
    /// The folders of `PATH`; relative ones are passed over.
    pub path: Vec<PathBuf>,
    /// The folder of a model that somebody else made: nothing below it is ever loaded.
    pub untrusted: Option<PathBuf>,
}

/// Finds the library, its path absolute and without symlinks.
pub fn find_library(search: &LibrarySearch) -> Result<PathBuf, RunError> {
    if let Some(path) = &search.explicit {
        return named(path, search);
    }
    if let Some(path) = &search.dylib_path {
        let beside = search.executable_dir.as_ref().map(|dir| dir.join(path));
        let path = beside.filter(|path| path.exists()).unwrap_or(path.clone());
        return named(&path, search);
    }
    let beside = search.executable_dir.iter().cloned();
    let packages = prefixes(search)
        .into_iter()
        .flat_map(|prefix| capi_folders(&prefix));
    let folders = beside.chain(packages);
    let mut inside_model = None;
    for library in folders.filter_map(|folder| newest_in(&folder)) {
        match allowed(library, search) {
            Err(RunError::LibraryInModel { path }) => inside_model = Some(path),
            other => return other,
        }
    }
    Err(match inside_model {
        Some(path) => RunError::LibraryInModel { path },
        None => RunError::NoLibrary,
    })
}

/// A library, or a folder with one, that the user named.
fn named(path: &Path, search: &LibrarySearch) -> Result<PathBuf, RunError> {
    let library = if path.is_dir() {
        newest_in(path).ok_or_else(|| RunError::Library {
            path: path.to_path_buf(),
            reason: "no `libonnxruntime` in this folder".to_owned(),
        })?
    } else {
        path.to_path_buf()
    };
    allowed(library, search)
}

/// The real path of a library that is not part of the model.
fn allowed(library: PathBuf, search: &LibrarySearch) -> Result<PathBuf, RunError> {
    let real = |path: &Path| {
        fs::canonicalize(path).map_err(|cause| RunError::Io {
            path: path.to_path_buf(),
            cause,
        })
    };
    let path = real(&library)?;
    if let Some(model) = &search.untrusted
        && (path.starts_with(real(model)?) || library.starts_with(model))
    {
        return Err(RunError::LibraryInModel { path: library });
    }
    Ok(path)
}

/// The Python prefixes to look at, in order.
fn prefixes(search: &LibrarySearch) -> Vec<PathBuf> {
    let mut prefixes = Vec::new();
    prefixes.extend(search.virtual_env.clone());
    prefixes.extend(search.current_dir.as_ref().map(|dir| dir.join(".venv")));
    prefixes.extend(search.conda_prefix.clone());
    let on_path = search.path.iter().filter(|dir| dir.is_absolute());
    let python = on_path
        .map(|dir| dir.join("python3"))
        .find(|file| file.is_file() && !is_script(file));
    if let Some(python) = python {
        // As found (a virtual environment, Homebrew), then what its symlinks lead to.
        prefixes.extend(prefix_of(&python));
        let real = fs::canonicalize(&python).ok();
        prefixes.extend(real.as_deref().and_then(prefix_of));
    }
    prefixes
}

/// Whether a file is a script: pyenv and asdf put such ones before the Pythons that they start.
fn is_script(file: &Path) -> bool {
    let mut start = [0; 2];
    let read = fs::File::open(file).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"#!"
}

/// `<prefix>/bin/python3` → `<prefix>`.
fn prefix_of(python: &Path) -> Option<PathBuf> {
    Some(python.parent()?.parent()?.to_path_buf())
}

/// The folders of a prefix in which the `onnxruntime` package keeps its library.
fn capi_folders(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for library in ["lib", "lib64", "local/lib"] {
        let library = prefix.join(library);
        for python in subfolders(&library, "python3") {
            for packages in ["site-packages", "dist-packages"] {
                folders.push(python.join(packages).join("onnxruntime/capi"));
            }
        }
        // Where conda-forge's `onnxruntime-cpp` has it.
        folders.push(library);
    }
    folders
}

/// Folders whose names begin with a text, `python3.12` before `python3.9`.
fn subfolders(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = names(folder)
        .filter_map(|(name, path)| {
            let rest = name.strip_prefix(begin)?;
            let minor = rest.trim_start_matches('.').parse().unwrap_or(0);
            Some((minor, path))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The library of the highest version in a folder.
fn newest_in(folder: &Path) -> Option<PathBuf> {
    let libraries = names(folder).filter_map(|(name, path)| Some((version_in(&name)?, path)));
    libraries.max().map(|(_, path)| path)
}

/// The version in the name of the library (`libonnxruntime.so.1.32.0`,
/// `libonnxruntime.1.32.0.dylib`); none at all sorts first, and `None` is another file.
fn version_in(name: &str) -> Option<Option<Version>> {
    let rest = name.strip_prefix("libonnxruntime.")?;
    let version = match rest.strip_suffix("dylib") {
        Some(version) => version.trim_end_matches('.'),
        None => rest.strip_prefix("so")?.trim_start_matches('.'),
    };
    match version {
        "" => Some(None),
        _ => version.parse().ok().map(Some),
    }
}

fn names(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
}

#[cfg(test)]
mod tests;
