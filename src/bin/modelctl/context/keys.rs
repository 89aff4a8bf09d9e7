//! Keys from files and from the environment, and the passphrases that open them.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use modelctl::trust::certificate::{self, CertificateError, Roots};
use modelctl::trust::keyless::{MAX_TRUSTED_ROOT, TrustedRoot};
use modelctl::trust::{KeyError, Passphrase, PrivateKey, PublicKey, TrustError};
use zeroize::Zeroizing;

use super::Context;
use crate::failure::Failure;
use crate::files::read_small;
use crate::options::PassphraseOptions;
use crate::output::Output;
use crate::prompt::ask_secret;

/// Names of a key in a variable begin so, as with cosign.
const IN_ENVIRONMENT: &str = "env://";
/// Where passphrases come from. MODELCTL_PASSWORD is not among them: that one goes to registries.
const PASSPHRASES: [&str; 2] = ["COSIGN_PASSWORD", "MODELCTL_KEY_PASSWORD"];
/// The longest passphrase that is read from a descriptor, in bytes.
const MAX_PASSPHRASE: u64 = 64 * 1024;
/// The largest key file that is read, in bytes; the library refuses smaller ones already.
const MAX_KEY: u64 = 1024 * 1024;

impl Context {
    /// The key that signs. Its passphrase is asked for only if it needs one and nothing else gives it.
    pub(crate) async fn private_key(
        &self,
        path: &Path,
        options: &PassphraseOptions,
        output: &mut Output,
    ) -> Result<PrivateKey, Failure> {
        let file = self.key_file(path)?;
        warn_if_readable(path, output)?;
        let key = match PrivateKey::parse(&file, None) {
            Err(KeyError::Sealed) => {
                let question = format!("passphrase of {}: ", path.display());
                let passphrase = self.passphrase(options, &question, output).await?;
                PrivateKey::parse(&file, passphrase.as_ref())
            }
            key => key,
        };
        key.map_err(|cause| refused(path, cause))
    }

    /// A key that verifies.
    pub(crate) fn public_key(&self, path: &Path) -> Result<PublicKey, Failure> {
        let file = self.key_file(path)?;
        PublicKey::parse(&file).map_err(|cause| refused(path, cause))
    }

    /// The certificates of a PEM file, in DER.
    pub(crate) fn certificates(&self, path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
        let file = self.key_file(path)?;
        certificate::parse_pem(&file).map_err(|cause| untrusted(path, cause))
    }

    /// Certificates that the user trusts.
    pub(crate) fn roots(&self, path: &Path) -> Result<Roots, Failure> {
        let file = self.key_file(path)?;
        Roots::parse(&file, SystemTime::now()).map_err(|cause| untrusted(path, cause))
    }

    /// The authorities and logs of a sigstore instance.
    pub(crate) fn trusted_root(&self, path: &Path) -> Result<TrustedRoot, Failure> {
        let root = TrustedRoot::parse(&read_small(path, MAX_TRUSTED_ROOT)?).map_err(|cause| {
            TrustError::TrustedRoot {
                path: path.to_owned(),
                cause,
            }
        });
        Ok(root.map_err(modelctl::Error::from)?)
    }

    /// The passphrase from the descriptor, the environment or the terminal, if one of them gives it.
    pub(crate) async fn passphrase(
        &self,
        options: &PassphraseOptions,
        question: &str,
        output: &mut Output,
    ) -> Result<Option<Passphrase>, Failure> {
        if let Some(descriptor) = options.passphrase_fd {
            return passphrase_of(descriptor).map(Some);
        }
        let mut given = PASSPHRASES.iter();
        match given.find_map(|name| self.environment().secret(name)) {
            Some(passphrase) => Ok(Some(passphrase.into())),
            None => Ok(ask_secret(output, question).await?.map(Passphrase::from)),
        }
    }

    /// Whether a passphrase would be asked for at the terminal.
    pub(crate) fn asks_for_passphrases(&self, options: &PassphraseOptions) -> bool {
        let given = |name| self.environment().secret(name).is_some();
        options.passphrase_fd.is_none() && !PASSPHRASES.into_iter().any(given)
    }

    fn key_file(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let name = path
            .to_str()
            .and_then(|path| path.strip_prefix(IN_ENVIRONMENT));
        if let Some(name) = name {
            let key = self.environment().secret(name);
            let key = key.ok_or_else(|| Failure::file(path)(io::ErrorKind::NotFound.into()))?;
            return Ok(Zeroizing::new(key.into_bytes()));
        }
        let mut content = Zeroizing::new(Vec::new());
        let file = File::open(path).map_err(Failure::file(path))?;
        let read = file.take(MAX_KEY).read_to_end(&mut content);
        read.map_err(Failure::file(path))?;
        Ok(content)
    }
}

/// The first line of a descriptor that whoever started the process has opened.
fn passphrase_of(descriptor: RawFd) -> Result<Passphrase, Failure> {
    let path = PathBuf::from(format!("/dev/fd/{descriptor}"));
    let mut text = Zeroizing::new(String::new());
    let file = File::open(&path).map_err(Failure::file(&path))?;
    let read = file.take(MAX_PASSPHRASE).read_to_string(&mut text);
    read.map_err(Failure::file(&path))?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Passphrase::from(line.to_owned()))
}

/// Others who can read a private key can sign.
fn warn_if_readable(path: &Path, output: &mut Output) -> Result<(), Failure> {
    let exposed = fs::metadata(path).is_ok_and(|file| file.is_file() && file.mode() & 0o077 != 0);
    if exposed {
        let path = path.display();
        output.warn(format_args!(
            "others can read the private key `{path}`; `chmod 600` keeps it to you"
        ))?;
    }
    Ok(())
}

fn refused(path: &Path, cause: KeyError) -> Failure {
    let path = path.to_owned();
    Failure::Library(TrustError::Key { path, cause }.into())
}

fn untrusted(path: &Path, cause: CertificateError) -> Failure {
    let path = path.to_owned();
    Failure::Library(TrustError::Certificates { path, cause }.into())
}
