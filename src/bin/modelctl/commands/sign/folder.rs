//! `sign DIR`: one signature file over all files of a folder.

use std::fmt;
use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use modelctl::trust::oms::{Folder, Signer};
use modelctl::trust::{KeyId, PrivateKey, TrustError};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::count;

/// What is signed of a folder, and where the signature goes.
#[derive(Args)]
#[command(next_help_heading = "Folders")]
pub(super) struct FolderOptions {
    /// Where to write the signature; a file in DIR is not signed itself [default: model.sig]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Certificate of the key (PEM), by which verifiers know the signer instead of by the key
    #[arg(long, value_name = "FILE")]
    pub(super) certificate: Option<PathBuf>,
    /// Certificates that lead from --certificate to a root (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(super) certificate_chain: Option<PathBuf>,
    /// Leave out this file or folder of DIR, by its path from there or an absolute one; may be given
    /// several times
    #[arg(long, value_name = "PATH")]
    ignore_path: Vec<PathBuf>,
}

impl FolderOptions {
    /// An option that was given.
    pub(super) fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("--output", self.output.is_some()),
            ("--certificate", self.certificate.is_some()),
            ("--ignore-path", !self.ignore_path.is_empty()),
        ];
        let given = given.into_iter().find(|(_, given)| *given);
        given.map(|(option, _)| option)
    }
}

/// What was signed; as text the signature file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedReport {
    signature: PathBuf,
    key: KeyId,
    files: usize,
    root: String,
    ignore_paths: Vec<String>,
}

impl fmt::Display for SignedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signature.display().fmt(f)
    }
}

/// Who signs: the holder of a key, or of a certificate.
pub(super) fn signer(
    key: PrivateKey,
    options: &FolderOptions,
    context: &Context,
) -> Result<Signer, Failure> {
    let Some(leaf) = &options.certificate else {
        return Ok(Signer::new(key));
    };
    let mut chain = context.certificates(leaf)?;
    if let Some(path) = &options.certificate_chain {
        chain.extend(context.certificates(path)?);
    }
    let signer = Signer::with_certificates(key, chain).map_err(TrustError::from);
    Ok(signer.map_err(modelctl::Error::from)?)
}

/// Hashes the files, signs the list of them, and writes the signature.
pub(super) async fn sign(
    path: PathBuf,
    signer: Signer,
    options: FolderOptions,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = path.display().to_string();
    let file = options.output.unwrap_or("model.sig".into());
    let ignore_path = options.ignore_path;
    let key = signer.public_key().id();
    let target = file.clone();
    let signed = blocking(move || {
        let folder = Folder::open(&path)?;
        let ignore_paths = folder.ignoring(&target, &ignore_path)?;
        signer.sign_folder(&folder, ignore_paths)
    });
    let signed = signed.await.map_err(TrustError::from);
    let signed = signed.map_err(modelctl::Error::from)?;
    write(&file, &signed.bundle).map_err(Failure::file(&file))?;
    let files = signed.statement.files.count();
    output.note(format_args!("signed {} of {name}", count(files, "file")))?;
    let ignore_paths = signed.statement.ignore_paths.iter();
    Ok(output.report(&SignedReport {
        signature: file,
        key,
        files,
        root: signed.statement.files.root().hex(),
        ignore_paths: ignore_paths.map(str::to_owned).collect(),
    })?)
}

/// Replaces the file in one step: whoever reads it finds the old signature or the new one.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(content)?;
    let permissions = Permissions::from_mode(0o644);
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
