//! Statements → signature bundles.

use super::{Folder, GIT_NAMES, IgnorePaths, ModelStatement, OmsError, Resources};
use crate::model::{ModelManifest, SIGNATURES_FOLDER, Sha256};
use crate::trust::certificate::{self, CertificateError};
use crate::trust::{
    Bundle, BundleError, Envelope, IN_TOTO, MAX_BUNDLE_SIZE, Material, PrivateKey, PublicKey,
};

/// What the statement of a signature layer calls a model without a name.
const UNNAMED: &str = "model";

/// Who signs models: a key, and how the bundle names its holder.
#[derive(Debug, Clone)]
pub struct Signer {
    key: PrivateKey,
    material: Material,
}

/// The signature of a model on disk.
#[derive(Debug, Clone)]
pub struct SignedFolder {
    /// The bundle, to be written to a file.
    pub bundle: Vec<u8>,
    /// What it says.
    pub statement: ModelStatement,
}

impl Signer {
    /// A signer whom verifiers know by the public key.
    pub fn new(key: PrivateKey) -> Self {
        let hint = key.public_key().oms_hint();
        let material = Material::PublicKey { hint, spki: None };
        Self { key, material }
    }

    /// A signer whom verifiers know by a certificate: that of the key, then those that lead to a
    /// root. The root itself, which verifiers have, is left out.
    ///
    /// # Errors
    /// The first certificate is malformed, or not of this key.
    pub fn with_certificates(key: PrivateKey, chain: Vec<Vec<u8>>) -> Result<Self, OmsError> {
        let leaf = chain.first().ok_or(CertificateError::Malformed)?;
        let leaf = certificate::leaf_key(leaf)?;
        if leaf.key != key.public_key() {
            return Err(CertificateError::OtherKey(leaf.subject).into());
        }
        let material = Material::Chain(certificate::without_roots(chain)?);
        Ok(Self { key, material })
    }

    /// Signs a statement: the bytes of a bundle. The same signer and statement give the same bytes
    /// again.
    ///
    /// # Errors
    /// [`BundleError::TooLarge`] where the statement lists more files than any verifier would read.
    pub fn sign(&self, statement: &ModelStatement) -> Result<Vec<u8>, OmsError> {
        let payload = statement.to_statement().to_vec();
        let envelope = Envelope::sign(&self.key, IN_TOTO, payload);
        let bundle = Bundle::new(self.material.clone(), envelope).to_vec();
        match bundle.len() as u64 > MAX_BUNDLE_SIZE {
            true => Err(BundleError::TooLarge.into()),
            false => Ok(bundle),
        }
    }

    /// Hashes the files of a model on disk, and signs them. Blocks.
    ///
    /// # Errors
    /// A file that cannot be signed, those of [`sign`](Self::sign), and that there is no file.
    pub fn sign_folder(
        &self,
        model: &Folder,
        ignore_paths: IgnorePaths,
    ) -> Result<SignedFolder, OmsError> {
        let resources = model.hash(&ignore_paths)?;
        let statement = ModelStatement::new(model.name().to_owned(), resources, ignore_paths);
        let bundle = self.sign(&statement)?;
        Ok(SignedFolder { bundle, statement })
    }

    /// The key that verifies what is signed.
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// Makes a signature layer: over the files of a model and its model manifest, which has the
    /// SHA-256 `manifest`. Reads none of them.
    ///
    /// # Errors
    /// Those of [`sign`](Self::sign).
    pub fn sign_layer(&self, model: &ModelManifest, manifest: Sha256) -> Result<Vec<u8>, OmsError> {
        self.sign(&layer_statement(model, manifest)?)
    }
}

/// The statement of a signature layer. What may stand in the pulled folder beside the files is
/// exactly the signatures, and what every signature leaves out.
fn layer_statement(model: &ModelManifest, manifest: Sha256) -> Result<ModelStatement, OmsError> {
    let mut ignore_paths = IgnorePaths::git();
    ignore_paths.add(SIGNATURES_FOLDER)?;
    let name = model.name.as_deref().filter(|name| !name.is_empty());
    Ok(ModelStatement::new(
        name.unwrap_or(UNNAMED).to_owned(),
        Resources::of_model(model, manifest)?,
        ignore_paths,
    ))
}

impl ModelStatement {
    /// The paths that this statement leaves unsigned though no signature layer of modelctl does: a
    /// model is whole without them, and what stands there nobody vouches for.
    pub fn further_ignore_paths(&self) -> impl Iterator<Item = &str> {
        let usual = |path: &&str| GIT_NAMES.contains(path) || *path == SIGNATURES_FOLDER;
        self.ignore_paths.iter().filter(move |path| !usual(path))
    }
}
