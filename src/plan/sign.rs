//! Who signs an artifact while it is planned.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::model::{ModelManifest, Sha256};

/// Makes the content of a signature layer from a model manifest and the SHA-256 of its bytes. What a
/// signature is, this stage does not know: see `trust::oms`.
#[derive(Clone)]
pub struct LayerSigner(Arc<Sign>);

type Sign = dyn Fn(&ModelManifest, Sha256) -> Result<Vec<u8>, SignFault> + Send + Sync;

/// Why a signature could not be made.
pub type SignFault = Box<dyn Error + Send + Sync>;

impl LayerSigner {
    /// Takes what signs. It must give the same bytes for the same input, or the artifact gets
    /// another digest each time; it is called twice, once with digests that are not the final ones.
    pub fn new(
        sign: impl Fn(&ModelManifest, Sha256) -> Result<Vec<u8>, SignFault> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(sign))
    }

    pub(super) fn sign(
        &self,
        model: &ModelManifest,
        manifest: Sha256,
    ) -> Result<Vec<u8>, SignFault> {
        (self.0)(model, manifest)
    }
}

impl fmt::Debug for LayerSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LayerSigner")
    }
}
