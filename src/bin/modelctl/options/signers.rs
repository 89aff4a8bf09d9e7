//! The options of what verifies signatures.

use std::path::PathBuf;

use clap::Args;
use modelctl::Error;
use modelctl::trust::check::{Signer, Signers};
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
    /// Each of the keys has to have signed
    #[arg(long, requires = "key")]
    pub(crate) all_keys: bool,
}

impl SignerOptions {
    /// The keys, any of which will do: a folder is checked against one at a time.
    pub(crate) fn any_key(&self, context: &Context) -> Result<Vec<PublicKey>, Failure> {
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
        if self.key.is_empty() {
            return Ok(None);
        }
        let keys = self.key.iter().map(|key| context.public_key(key));
        let keys = keys.map(|key| key.map(Signer::Key));
        let keys: Vec<Signer> = keys.collect::<Result<_, _>>()?;
        let signers = match self.all_keys {
            true => Signers::all(keys),
            false => Signers::any(keys),
        };
        let signers = signers.map_err(TrustError::from);
        Ok(Some(signers.map_err(Error::from)?))
    }
}
