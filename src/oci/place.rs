//! What a user can name on the command line: a registry, the store, a layout, an archive, a path.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::reference::excerpt;
use super::{Reference, ReferenceError, Tag};

/// A place that holds artifacts or files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `[registry/]repository[:tag][@digest]`.
    Registry(Reference),
    /// `store:NAME`: an entry of the local store.
    Store(Reference),
    /// `oci:DIR[:tag]`: an OCI image layout, as in skopeo.
    Layout {
        /// The folder.
        path: PathBuf,
        /// The name of the entry.
        tag: Option<Tag>,
    },
    /// `oci-archive:FILE[:tag]`: a layout in a tar, as in skopeo.
    Archive {
        /// The tar file.
        path: PathBuf,
        /// The name of the entry.
        tag: Option<Tag>,
    },
    /// A file or folder: `.` or something that begins with `/`, `./` or `../`.
    Path(PathBuf),
}

/// Why a text names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// `oci:` or `oci-archive:` without a path.
    #[error("invalid place {0:?}: expected a path after the colon")]
    NoPath(String),
    /// It is neither a reference nor, by how it begins, a path.
    #[error("{0} (a file or folder begins with `/`, `./` or `../`)")]
    NeitherReferenceNorPath(ReferenceError),
    /// The reference or tag is invalid.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        if let Some(name) = text.strip_prefix("store:") {
            return Ok(Self::Store(name.parse()?));
        }
        if let Some(rest) = text.strip_prefix("oci:") {
            let (path, tag) = path_and_tag(text, rest)?;
            return Ok(Self::Layout { path, tag });
        }
        if let Some(rest) = text.strip_prefix("oci-archive:") {
            let (path, tag) = path_and_tag(text, rest)?;
            return Ok(Self::Archive { path, tag });
        }
        let is_path =
            matches!(text, "." | "..") || ["/", "./", "../"].iter().any(|p| text.starts_with(p));
        if is_path {
            return Ok(Self::Path(text.into()));
        }
        let reference = text.parse();
        reference
            .map(Self::Registry)
            .map_err(PlaceError::NeitherReferenceNorPath)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tagged = |f: &mut fmt::Formatter<'_>, kind, path: &Path, tag: &Option<Tag>| {
            write!(f, "{kind}:{}", path.display())?;
            tag.iter().try_for_each(|tag| write!(f, ":{tag}"))
        };
        match self {
            Self::Registry(reference) => reference.fmt(f),
            Self::Store(reference) => write!(f, "store:{reference}"),
            Self::Layout { path, tag } => tagged(f, "oci", path, tag),
            Self::Archive { path, tag } => tagged(f, "oci-archive", path, tag),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// Splits at the last colon, unless what follows it still belongs to the path.
fn path_and_tag(text: &str, rest: &str) -> Result<(PathBuf, Option<Tag>), PlaceError> {
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag.parse()?)),
        _ => (rest, None),
    };
    if path.is_empty() {
        return Err(PlaceError::NoPath(excerpt(text)));
    }
    Ok((path.into(), tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart() {
        let tag = |text: &str| Some(text.parse::<Tag>().unwrap());
        let layout = |path: &str, tag| Place::Layout {
            path: path.into(),
            tag,
        };
        assert_eq!("./m".parse(), Ok(Place::Path("./m".into())));
        assert_eq!(".".parse(), Ok(Place::Path(".".into())));
        assert_eq!("/a/m".parse(), Ok(Place::Path("/a/m".into())));
        assert_eq!("oci:/a/b:v1".parse(), Ok(layout("/a/b", tag("v1"))));
        assert_eq!("oci:b".parse(), Ok(layout("b", None)));
        assert_eq!("oci:/a:x/b".parse(), Ok(layout("/a:x/b", None)));
        assert!(matches!("m:v1".parse(), Ok(Place::Registry(_))));
        assert!(matches!("store:m:v1".parse(), Ok(Place::Store(_))));
        assert!(matches!(
            "oci-archive:m.tar".parse(),
            Ok(Place::Archive { .. })
        ));
        for text in ["m:v1", "store:m:v1", "oci:b:v1", "oci-archive:m.tar", "./m"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        let error = "My model".parse::<Place>().unwrap_err().to_string();
        assert!(error.ends_with(" (a file or folder begins with `/`, `./` or `../`)"));
        assert!("oci:".parse::<Place>().is_err());
        assert!("oci::v1".parse::<Place>().is_err());
    }
}
