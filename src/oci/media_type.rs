//! Media types and artifact types; `schema/media-types.md` says what each one holds.

/// An OCI image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An OCI image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// A Docker image manifest, accepted on read.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A Docker manifest list, accepted on read.
pub const DOCKER_MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The empty JSON document `{}`.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Bytes of which nothing is known.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// The artifact type of a modelctl model.
pub const MODEL: &str = "application/vnd.modelctl.model.v1+json";
/// The CNCF ModelPack config document, which is the config blob of a modelctl model.
pub const MODELPACK_CONFIG: &str = "application/vnd.cncf.model.config.v1+json";
/// The artifact type of a CNCF ModelPack artifact.
pub const MODELPACK: &str = "application/vnd.cncf.model.manifest.v1+json";

/// The model manifest layer.
pub const LAYER_MANIFEST: &str = "application/vnd.modelctl.manifest.v1.raw";
/// A signature layer.
pub const LAYER_SIGNATURE: &str = "application/vnd.modelctl.signature.v1.raw";
/// A graph layer: a valid ONNX model, without its large tensors where it was split.
pub const LAYER_GRAPH: &str = "application/vnd.modelctl.graph.v1.raw";
/// A weights layer: a shard of tensors, or a weights file whole.
pub const LAYER_WEIGHTS: &str = "application/vnd.modelctl.weights.v1.raw";
/// A skeleton layer: the bytes of a split file outside the tensors taken out.
pub const LAYER_SKELETON: &str = "application/vnd.modelctl.skeleton.v1.raw";
/// The smoke tests, a tar.
pub const LAYER_TESTS: &str = "application/vnd.modelctl.tests.v1.raw";
/// Any other file.
pub const LAYER_FILE: &str = "application/vnd.modelctl.file.v1.raw";
/// The smallest of very many files, a tar.
pub const LAYER_FILES: &str = "application/vnd.modelctl.files.v1.raw";

/// The manifest types that are understood, in the order of preference, for an `Accept` header.
pub const MANIFEST_TYPES: [&str; 4] = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_MANIFEST_LIST];

/// Whether a registry keeps blobs of this type under `/manifests/`.
pub fn is_manifest(media_type: &str) -> bool {
    MANIFEST_TYPES.contains(&media_type)
}

/// Whether this is an index: a list of manifests.
pub fn is_index(media_type: &str) -> bool {
    media_type == INDEX || media_type == DOCKER_MANIFEST_LIST
}

/// Whether a layer of this type need not be in the registry that has its manifest: it may not be
/// distributed, and says itself where it comes from (image-spec `layer.md`, "Non-Distributable
/// Layers"; Docker's foreign layers).
pub fn is_foreign_layer(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.v1.tar")
        || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.diff.tar")
}
