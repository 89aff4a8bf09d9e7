//! A composition and its digests → the documents of the artifact: model manifest, config, OCI
//! manifest. Equal input gives equal bytes.

mod assemble;
mod model_manifest;
mod timestamp;

pub(super) use assemble::assemble;
pub(super) use model_manifest::model_manifest;
