//! The options of what verifies signatures.

use std::path::PathBuf;

use clap::Args;
use modelctl::Error;
use modelctl::trust::check::{Signer, Signers};
use modelctl::trust::policy::{Identity, Pattern};
use modelctl::trust::{PublicKey, TrustError};

use crate::context::Context;
use crate::failure::Failure;

/// Who has to have signed.
#[derive(Args)]
#[command(next_help_heading = "Signatures")]
pub(crate) struct SignerOptions {
    /// Public key of a signer who is trusted; may be given several times, for any of them. `env://NAME`
    /// is the key itself in a variable
    #[arg(long, value_name = "KEY", group = "trusted")]
    pub(crate) key: Vec<PathBuf>,
    /// Each of the keys has to have signed, and the identity if one is given
    #[arg(long, requires = "key")]
    pub(crate) all_keys: bool,
    /// Whom the certificate of a keyless signature has to name, exactly; there is no form with a regular
    /// expression: patterns stand in policies
    #[arg(
        long,
        value_name = "IDENTITY",
        requires_all = ["certificate_oidc_issuer", "trusted_root"]
    )]
    certificate_identity: Option<String>,
    /// Who has to vouch for that identity, exactly
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// The authorities and logs that are trusted (JSON), as `cosign trusted-root create` writes them;
    /// nothing is fetched
    #[arg(long, value_name = "FILE", requires = "certificate_identity")]
    trusted_root: Option<PathBuf>,
}

impl SignerOptions {
    /// The keys, any of which will do: a folder is checked against one at a time.
    pub(crate) fn any_key(&self, context: &Context) -> Result<Vec<PublicKey>, Failure> {
        if self.certificate_identity.is_some() {
            return Err(Failure::Option {
                option: "--certificate-identity",
                reason:
                    "is for artifacts: a folder is checked against keys and `--certificate-chain`"
                        .to_owned(),
            });
        }
        if self.all_keys {
            return Err(Failure::Option {
                option: "--all-keys",
                reason: "a folder is checked against any of the keys; check each alone".to_owned(),
            });
        }
        self.key.iter().map(|key| context.public_key(key)).collect()
    }

    /// The signers, if any are named.
    pub(crate) fn signers(&self, context: &Context) -> Result<Option<Signers>, Failure> {
        if self.is_empty() {
            return Ok(None);
        }
        let keys = self.key.iter().map(|key| context.public_key(key));
        let keys = keys.map(|key| key.map(Signer::Key));
        let mut named: Vec<Signer> = keys.collect::<Result<_, _>>()?;
        named.extend(self.identity());
        let signers = match self.all_keys {
            true => Signers::all(named),
            false => Signers::any(named),
        };
        let signers = signers.map_err(TrustError::from).map_err(Error::from)?;
        Ok(Some(match &self.trusted_root {
            Some(file) => signers.trusting(context.trusted_root(file)?),
            None => signers,
        }))
    }

    /// Whether nobody is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.key.is_empty() && self.certificate_identity.is_none()
    }

    fn identity(&self) -> Option<Signer> {
        Some(Signer::Identity(Identity {
            identity: Pattern::exactly(self.certificate_identity.as_ref()?),
            issuer: self.certificate_oidc_issuer.clone()?,
        }))
    }
}
