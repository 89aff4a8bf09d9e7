//! A composition and its digests → the documents of the artifact: model manifest, config, OCI
//! manifest. Equal input gives equal bytes.

mod assemble;
mod model_manifest;

pub(super) use assemble::assemble;
pub(super) use model_manifest::model_manifest;
