//! What the process's environment says, read once, so that nothing else looks.
//!
//! The library reads no environment and no home directory: paths and secrets leave here as
//! arguments.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A snapshot of the environment.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// Reads the environment of this process.
    pub(crate) fn of_process() -> Self {
        Self {
            variables: std::env::vars_os().collect(),
        }
    }

    /// A variable as text; empty and non-UTF-8 values count as absent.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let value = self.variables.get(std::ffi::OsStr::new(name))?;
        let text = value.to_str().filter(|text| !text.is_empty())?;
        Some(text.to_owned())
    }

    /// A variable that holds a secret; an empty one counts.
    pub(crate) fn secret(&self, name: &str) -> Option<String> {
        let value = self.variables.get(std::ffi::OsStr::new(name))?;
        value.to_str().map(str::to_owned)
    }

    /// A variable as a path; an empty value counts as absent.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        let value = self.variables.get(std::ffi::OsStr::new(name))?;
        (!value.is_empty()).then(|| value.into())
    }

    /// The folders of `PATH`, absolute ones only: what the current folder holds is never run.
    pub(crate) fn search_path(&self) -> Vec<PathBuf> {
        let Some(path) = self.path("PATH") else {
            return Vec::new();
        };
        std::env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .collect()
    }

    /// The folder of the local store where no flag names one.
    pub(crate) fn default_store(&self) -> Result<PathBuf, Failure> {
        let data = self.base("XDG_DATA_HOME", ".local/share");
        let data = data.ok_or(Failure::NoHome("the store"))?;
        Ok(data.join("modelctl"))
    }

    /// The folder for what can be computed again.
    pub(crate) fn cache(&self) -> Option<PathBuf> {
        Some(self.base("XDG_CACHE_HOME", ".cache")?.join("modelctl"))
    }

    /// Docker's `config.json`.
    pub(crate) fn docker_config(&self) -> Option<PathBuf> {
        let folder = self
            .path("DOCKER_CONFIG")
            .or_else(|| Some(self.path("HOME")?.join(".docker")))?;
        Some(folder.join("config.json"))
    }

    /// The auth file of Podman, skopeo and buildah.
    pub(crate) fn podman_auth(&self) -> Option<PathBuf> {
        let runtime = |folder: PathBuf| folder.join("containers/auth.json");
        self.path("REGISTRY_AUTH_FILE")
            .or_else(|| self.path("XDG_RUNTIME_DIR").map(runtime))
    }

    /// The settings file of modelctl.
    pub(crate) fn settings(&self) -> Option<PathBuf> {
        let folder = self.base("XDG_CONFIG_HOME", ".config")?;
        Some(folder.join("modelctl/config.json"))
    }

    /// The folder of what a later run can go on with, if there is a home.
    pub(crate) fn state(&self) -> Option<PathBuf> {
        Some(
            self.base("XDG_STATE_HOME", ".local/state")?
                .join("modelctl"),
        )
    }

    /// A base folder of the XDG specification, which says to ignore relative ones.
    fn base(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let named = self.path(variable).filter(|path| path.is_absolute());
        named.or_else(|| Some(self.path("HOME")?.join(Path::new(below_home))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let pair = |(name, value): &(&str, &str)| (name.into(), value.into());
        Environment {
            variables: variables.iter().map(pair).collect(),
        }
    }

    #[test]
    fn store_follows_the_xdg_specification() {
        let store = |variables: &[(&str, &str)]| environment(variables).default_store().ok();
        assert_eq!(
            store(&[("HOME", "/h")]),
            Some("/h/.local/share/modelctl".into())
        );
        assert_eq!(
            store(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d")]),
            Some("/d/modelctl".into())
        );
        assert_eq!(
            store(&[("HOME", "/h"), ("XDG_DATA_HOME", "relative")]),
            Some("/h/.local/share/modelctl".into())
        );
        assert_eq!(store(&[("HOME", "")]), None);
    }

    #[test]
    fn credential_files_are_where_docker_and_podman_keep_them() {
        let here = environment(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/run/1")]);
        assert_eq!(here.docker_config(), Some("/h/.docker/config.json".into()));
        assert_eq!(
            here.podman_auth(),
            Some("/run/1/containers/auth.json".into())
        );
        let named = environment(&[("DOCKER_CONFIG", "/d"), ("REGISTRY_AUTH_FILE", "/a.json")]);
        assert_eq!(named.docker_config(), Some("/d/config.json".into()));
        assert_eq!(named.podman_auth(), Some("/a.json".into()));
    }

    /// Security row A27: a credential helper is never found in the current folder.
    #[test]
    fn search_path_has_no_relative_folders() {
        let here = environment(&[("PATH", "/usr/bin:.::bin:/bin")]);
        assert_eq!(
            here.search_path(),
            [PathBuf::from("/usr/bin"), PathBuf::from("/bin")]
        );
    }
}
