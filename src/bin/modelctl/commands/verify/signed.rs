//! `verify DIR --signature FILE`: a folder against a signature file.

use std::path::PathBuf;

use clap::Args;
use modelctl::trust::oms::{self, Folder, FolderOptions};
use modelctl::trust::{MAX_BUNDLE_SIZE, TrustError};

use super::Signers;
use crate::blocking::blocking;
use crate::failure::Failure;
use crate::files::read_small;
use crate::reports::FindingsReport;

/// A signature file, and what it need not cover.
#[derive(Args)]
#[command(next_help_heading = "Signatures")]
pub(super) struct SignedOptions {
    /// Check the files against this signature, which OpenSSF Model Signing has made
    #[arg(long, value_name = "FILE", requires = "trusted")]
    pub(super) signature: Option<PathBuf>,
    /// File or folder of DIR that need not be signed, by its path from there or an absolute one; may
    /// be given several times
    #[arg(long, value_name = "PATH", requires = "signature")]
    ignore_path: Vec<PathBuf>,
    /// Accept files that were not signed
    #[arg(long, requires = "signature")]
    ignore_unsigned_files: bool,
}

/// Checks the signature, and the files if it is valid.
pub(super) async fn verify(
    path: PathBuf,
    options: SignedOptions,
    signers: Signers,
) -> Result<FindingsReport, Failure> {
    let name = path.display().to_string();
    let signature = options.signature.unwrap_or_default();
    let bundle = read_small(&signature, MAX_BUNDLE_SIZE)?;
    let findings = blocking(move || {
        let model = Folder::open(&path)?;
        let ignore_paths = model.ignoring(&signature, &options.ignore_path)?;
        let folder_options = FolderOptions {
            ignore_paths,
            ignore_unsigned_files: options.ignore_unsigned_files,
        };
        let trusted = signers.trusted();
        let signature = signature.display().to_string();
        oms::check_signed((&signature, &bundle), &trusted, &model, &folder_options)
    });
    let findings = findings.await.map_err(TrustError::from);
    Ok(FindingsReport {
        name,
        digest: None,
        findings: findings.map_err(modelctl::Error::from)?,
    })
}
