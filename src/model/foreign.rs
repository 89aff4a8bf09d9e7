//! Artifacts of other tools: no model manifest, but layers that are files.
//!
//! OCI manifest → the model manifest that it stands for. oras, modctl, KitOps and Docker write the
//! path of a file into an annotation of its layer (facts of each: `schema/media-types.md`). A layer
//! that is an archive, or has no path, is refused by name: leaving it out would not be the model.

use std::collections::BTreeMap;

use super::{Extent, File, FilePath, FilePathError, Layer, ModelManifest, Role, Sha256, Violation};
use crate::ErrorKind;
use crate::oci::{self, Descriptor, annotation, media_type};

/// What oras sets to `true` on a folder that it packed as a tar.
const ORAS_UNPACK: &str = "io.deis.oras.content.unpack";
/// What oras calls a file for which no other type is given. Elsewhere it is an archive.
const ORAS_FILE: &str = "application/vnd.oci.image.layer.v1.tar";
/// How the media types of archives end.
const ARCHIVES: [&str; 4] = [".tar", ".tar.gzip", "+gzip", "+zstd"];

/// Why an artifact of another tool cannot be pulled as files.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The manifest says that it is a model of ours.
    #[error("artifact has no layer of type `{}`", media_type::LAYER_MANIFEST)]
    NoManifest,
    /// A layer names no file.
    #[error(
        "layers[{index}] (`{media_type}`) names no file: it has no `{}`",
        annotation::TITLE
    )]
    Untitled {
        /// Which layer.
        index: usize,
        /// Its type.
        media_type: String,
    },
    /// A layer is an archive.
    #[error("layers[{index}] (`{media_type}`) is an archive, which is not unpacked")]
    Archive {
        /// Which layer.
        index: usize,
        /// Its type.
        media_type: String,
    },
    /// A layer has a digest that is no SHA-256.
    #[error("layers[{index}] has the digest `{digest}`, expected a SHA-256")]
    Digest {
        /// Which layer.
        index: usize,
        /// Its digest.
        digest: oci::Digest,
    },
    /// A layer names a file that could not be written safely.
    #[error("layers[{index}]: {cause}")]
    Path {
        /// Which layer.
        index: usize,
        /// Why.
        cause: FilePathError,
    },
    /// The two annotations with the path differ.
    #[error("layers[{index}] is called {title:?} and {filepath:?}")]
    TwoPaths {
        /// Which layer.
        index: usize,
        /// Its title.
        title: String,
        /// Its ModelPack file path.
        filepath: String,
    },
    /// The files cannot stand side by side.
    #[error(transparent)]
    Rule(#[from] Violation),
}

impl ForeignError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Untitled { .. } | Self::Archive { .. } | Self::Digest { .. } => {
                ErrorKind::Unsupported
            }
            Self::NoManifest | Self::Path { .. } | Self::TwoPaths { .. } => ErrorKind::Mismatch,
            Self::Rule(violation) => violation.kind(),
        }
    }
}

/// Makes the model manifest of an artifact that has none.
pub(crate) fn manifest(oci: &oci::Manifest) -> Result<ModelManifest, ForeignError> {
    if oci.artifact_type() == media_type::MODEL {
        return Err(ForeignError::NoManifest);
    }
    let mut layers = Vec::new();
    let mut files = Vec::new();
    for (index, descriptor) in oci.layers.iter().enumerate() {
        let path = path_of(index, descriptor)?;
        let digest = descriptor.digest;
        let whole = Extent {
            layer: u32::try_from(index).unwrap_or(u32::MAX),
            offset: 0,
            length: descriptor.size,
        };
        files.push(File {
            path: path.clone(),
            size: descriptor.size,
            sha256: Sha256::try_from(digest)
                .map_err(|digest| ForeignError::Digest { index, digest })?,
            executable: false,
            role: Role::Other,
            extents: if descriptor.size == 0 {
                vec![]
            } else {
                vec![whole]
            },
        });
        layers.push(Layer {
            digest,
            size: descriptor.size,
            path,
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let model = empty(layers, files);
    model.check()?;
    Ok(model)
}

fn empty(layers: Vec<Layer>, files: Vec<File>) -> ModelManifest {
    ModelManifest {
        schema_version: 1,
        requires: vec![],
        name: None,
        version: None,
        licenses: vec![],
        annotations: BTreeMap::new(),
        format: "other".to_owned(),
        layers,
        files,
        graphs: vec![],
        tensors: vec![],
        tests: vec![],
    }
}

fn path_of(index: usize, layer: &Descriptor) -> Result<FilePath, ForeignError> {
    let media_type = layer.media_type.clone();
    let note = |key| layer.annotations.get(key).map(String::as_str);
    let packed = note(ORAS_UNPACK) == Some("true")
        || (media_type != ORAS_FILE && ARCHIVES.iter().any(|end| media_type.ends_with(end)));
    if packed {
        return Err(ForeignError::Archive { index, media_type });
    }
    let path = match (note(annotation::TITLE), note(annotation::FILEPATH)) {
        (Some(title), Some(filepath)) if title != filepath => {
            return Err(ForeignError::TwoPaths {
                index,
                title: title.to_owned(),
                filepath: filepath.to_owned(),
            });
        }
        (title, filepath) => title.or(filepath),
    };
    let path = path.ok_or(ForeignError::Untitled { index, media_type })?;
    path.parse()
        .map_err(|cause| ForeignError::Path { index, cause })
}
