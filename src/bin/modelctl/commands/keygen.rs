//! `keygen`: a pair of keys, as cosign writes and reads them.

use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use modelctl::trust::{KeyId, Passphrase, PrivateKey};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::PassphraseOptions;
use crate::output::Output;

const HELP: &str = "\
Writes PREFIX.key, sealed with a passphrase and for its owner's eyes only, and PREFIX.pub; cosign uses \
both as they are. Prints the key's id, the SHA-256 of its public half. An existing file is never \
replaced. An empty passphrase is allowed, and protects nothing.

Examples:
  modelctl keygen
  modelctl keygen -o release
  modelctl keygen --from old.pem -o old
  COSIGN_PASSWORD=\"$SECRET\" modelctl keygen -o ci
  modelctl keygen --passphrase-fd 3 3<passphrase.txt";

/// Make a pair of keys for signing: ECDSA P-256, in cosign's form
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct KeygenArgs {
    /// Where to write the pair: PREFIX.key and PREFIX.pub
    #[arg(long, short, value_name = "PREFIX", default_value = "modelctl")]
    output: PathBuf,
    /// Write the public half of this private key, PREFIX.pub, instead of making a pair. `env://NAME` is
    /// the key itself in a variable
    #[arg(long, value_name = "KEY")]
    from: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseOptions,
}

/// The pair; as text the id of the key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeygenReport {
    id: KeyId,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key: Option<PathBuf>,
    public_key: PathBuf,
}

impl fmt::Display for KeygenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

/// Makes the pair, or writes the public half of a key that is there.
pub(crate) async fn run(
    args: KeygenArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = |extension: &str| {
        let mut name = args.output.clone().into_os_string();
        name.push(extension);
        PathBuf::from(name)
    };
    let public_key = file(".pub");
    absent(&public_key)?;
    let (id, private_key) = match &args.from {
        Some(from) => {
            let key = context.private_key(from, &args.passphrase, output).await?;
            let key = key.public_key();
            write(&public_key, key.to_pem().as_bytes(), 0o644)?;
            output.note(format_args!("wrote {}", public_key.display()))?;
            (key.id(), None)
        }
        None => {
            let private_key = file(".key");
            absent(&private_key)?;
            let passphrase = new_passphrase(&args.passphrase, context, output).await?;
            let id = write_pair(&private_key, &public_key, passphrase).await?;
            let (private, public) = (private_key.display(), public_key.display());
            output.note(format_args!("wrote {private} and {public}"))?;
            (id, Some(private_key))
        }
    };
    Ok(output.report(&KeygenReport {
        id,
        private_key,
        public_key,
    })?)
}

/// Leaves nothing if one of the files cannot be written.
async fn write_pair(
    private_key: &Path,
    public_key: &Path,
    passphrase: Passphrase,
) -> Result<KeyId, Failure> {
    let (key, sealed) = blocking(move || {
        let key = PrivateKey::generate();
        let sealed = key.to_sealed_pem(&passphrase);
        (key.public_key(), sealed)
    })
    .await;
    write(private_key, sealed.as_bytes(), 0o600)?;
    if let Err(failure) = write(public_key, key.to_pem().as_bytes(), 0o644) {
        // It was made a moment ago, and nobody has used it.
        let _ = fs::remove_file(private_key);
        return Err(failure);
    }
    Ok(key.id())
}

/// At a terminal it is asked for twice, since nobody sees what was typed.
async fn new_passphrase(
    options: &PassphraseOptions,
    context: &Context,
    output: &mut Output,
) -> Result<Passphrase, Failure> {
    let question = "passphrase for the new key: ";
    let given = context.passphrase(options, question, output).await?;
    let passphrase = given.ok_or(Failure::NoPassphrase)?;
    if context.asks_for_passphrases(options) {
        let again = context.passphrase(options, "the same again: ", output);
        if again.await?.as_ref() != Some(&passphrase) {
            return Err(Failure::PassphrasesDiffer);
        }
    }
    if passphrase.is_empty() {
        output.warn("the passphrase is empty: whoever can read the key can sign")?;
    }
    Ok(passphrase)
}

fn absent(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Failure::file(path)(source)),
        Ok(_) => Err(Failure::file(path)(io::ErrorKind::AlreadyExists.into())),
    }
}

/// Writes a file that appears whole, and only where there is none.
fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), Failure> {
    let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
    let written = || {
        let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(content)?;
        file.as_file()
            .set_permissions(Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        Ok(file.persist_noclobber(path)?)
    };
    written().map(drop).map_err(Failure::file(path))
}
