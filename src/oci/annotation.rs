//! Annotation keys.

/// The path of a layer's file, as oras and most artifact tools read it.
pub const TITLE: &str = "org.opencontainers.image.title";
/// The path of a layer's file, as ModelPack tools read it.
pub const FILEPATH: &str = "org.cncf.model.filepath";
/// The name of a manifest in a layout's `index.json`.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The time of creation, RFC 3339.
pub const CREATED: &str = "org.opencontainers.image.created";
/// The version of the packaged software.
pub const VERSION: &str = "org.opencontainers.image.version";
/// The licences, an SPDX expression.
pub const LICENSES: &str = "org.opencontainers.image.licenses";
