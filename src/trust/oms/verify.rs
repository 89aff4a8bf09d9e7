//! Signature bundles → statements that somebody has vouched for.

use std::fmt;

use super::{ModelStatement, OmsError, Resources};
use crate::model::{ModelManifest, Sha256};
use crate::trust::certificate::Roots;
use crate::trust::{Bundle, IN_TOTO, KeyId, Material, PublicKey, StatementError};

/// A signature bundle, of which nothing was verified yet.
#[derive(Debug, Clone)]
pub struct Signature(Bundle);

/// By whom a signature may be.
#[derive(Debug, Clone, Copy)]
pub enum Trusted<'a> {
    /// Whoever holds the private half of this key.
    Key(&'a PublicKey),
    /// Whoever has a certificate that one of these has issued.
    Roots(&'a Roots),
}

/// What a signature says, and who says it: the signature was verified.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Who has signed.
    pub signer: SignedBy,
    /// What was signed.
    pub statement: ModelStatement,
}

/// Who has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedBy {
    /// The holder of a key.
    Key(KeyId),
    /// Whom a certificate names.
    Certificate {
        /// The name in the certificate.
        subject: String,
        /// The key in it.
        key: KeyId,
    },
    /// Whom a short-lived certificate names, for whom an issuer vouches.
    Identity {
        /// The identity, or the pattern that it fits.
        identity: String,
        /// Who vouches for it.
        issuer: String,
    },
}

impl Signature {
    /// Parses a bundle of at most [`MAX_BUNDLE_SIZE`](crate::trust::MAX_BUNDLE_SIZE) bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, OmsError> {
        Ok(Self(Bundle::parse(bytes)?))
    }

    /// The bundle, to look for who may have made it.
    pub fn bundle(&self) -> &Bundle {
        &self.0
    }

    /// Verifies the signature; only then is the statement read.
    ///
    /// # Errors
    /// The signature is by somebody else or over something else, or the statement is not one over a
    /// model. Any error means that nothing was verified.
    pub fn verify(&self, trusted: Trusted<'_>) -> Result<Verified, OmsError> {
        let signer = match trusted {
            Trusted::Key(key) => self.verify_key(key)?,
            Trusted::Roots(roots) => self.verify_chain(roots)?,
        };
        let envelope = &self.0.envelope;
        if envelope.payload_type != IN_TOTO {
            return Err(StatementError::Type(envelope.payload_type.clone()).into());
        }
        let statement = ModelStatement::parse(&envelope.payload)?;
        Ok(Verified { signer, statement })
    }

    /// Verifies the signature with the first signer who fits.
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify): what is wrong with the signature, if it is by one of these
    /// signers, else that it is not.
    pub fn verify_any(&self, trusted: &[Trusted<'_>]) -> Result<Verified, OmsError> {
        let mut refused = OmsError::OtherSigner {
            found: "somebody".to_owned(),
            expected: "nobody".to_owned(),
        };
        for signer in trusted {
            match self.verify(*signer) {
                Ok(verified) => return Ok(verified),
                Err(error) if refused.is_by_another() => refused = error,
                Err(_) => {}
            }
        }
        Err(refused)
    }

    fn verify_key(&self, key: &PublicKey) -> Result<SignedBy, OmsError> {
        let hints = [key.oms_hint(), key.cosign_hint()];
        let other = |found: String| OmsError::OtherSigner {
            found,
            expected: format!("the key `{}`", key.id()),
        };
        match &self.0.material {
            // A bundle that names another key is by that one, as the reference has it.
            Material::PublicKey { hint, .. } if !hint.is_empty() && !hints.contains(hint) => {
                let hint: String = hint.chars().take(64).collect();
                return Err(other(format!("another key (hint {hint:?})")));
            }
            Material::PublicKey { .. } => {}
            Material::Certificate(_) | Material::Chain(_) => {
                return Err(other("the holder of a certificate".to_owned()));
            }
        }
        self.0.envelope.verify(key)?;
        Ok(SignedBy::Key(key.id()))
    }
}

impl Signature {
    fn verify_chain(&self, roots: &Roots) -> Result<SignedBy, OmsError> {
        let Material::Chain(chain) = &self.0.material else {
            let found = match self.0.material {
                Material::PublicKey { .. } => "a key without a certificate",
                _ => "the holder of a certificate of sigstore",
            };
            return Err(OmsError::OtherSigner {
                found: found.to_owned(),
                expected: "a certificate chain".to_owned(),
            });
        };
        let signer = roots.verify(chain)?;
        self.0.envelope.verify(&signer.key)?;
        Ok(SignedBy::Certificate {
            subject: signer.subject,
            key: signer.key.id(),
        })
    }
}

impl Verified {
    /// Checks that exactly the files of a model are signed, with its model manifest, which has the
    /// SHA-256 `manifest`: none missing, none besides, none with another content. Whether the files
    /// are those of the model manifest is for others to find out.
    pub fn check_model(&self, model: &ModelManifest, manifest: Sha256) -> Result<(), OmsError> {
        let actual = Resources::of_model(model, manifest)?;
        let compared = self.statement.files.compare(&actual);
        compared.map_err(OmsError::Differs)
    }
}

/// Verifies a signature layer, or a file of `.modelctl/signatures` of a pulled folder: somebody who
/// is trusted has signed exactly the files of this model. `manifest` is the SHA-256 of the bytes of
/// the model manifest. Reads no file of the model.
///
/// # Errors
/// Those of [`Signature::verify_any`], and [`OmsError::Differs`]; each with
/// [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch).
pub fn check_layer(
    bundle: &[u8],
    trusted: &[Trusted<'_>],
    model: &ModelManifest,
    manifest: Sha256,
) -> Result<Verified, OmsError> {
    let verified = Signature::parse(bundle)?.verify_any(trusted)?;
    verified.check_model(model, manifest)?;
    Ok(verified)
}

impl fmt::Display for Verified {
    /// Who has signed what, and what that leaves open.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (signer, statement) = (&self.signer, &self.statement);
        let (count, root) = (statement.files.count(), statement.files.root().hex());
        write!(f, "by {signer}, over {count} files with the root {root}")?;
        let further: Vec<&str> = statement.further_ignore_paths().collect();
        match further.is_empty() {
            true => Ok(()),
            false => write!(f, "; leaves out `{}`", further.join("`, `")),
        }
    }
}

impl fmt::Display for SignedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key {id}"),
            Self::Certificate { subject, key } => write!(f, "`{subject}` with the key {key}"),
            Self::Identity { identity, issuer } => write!(f, "`{identity}` of `{issuer}`"),
        }
    }
}
