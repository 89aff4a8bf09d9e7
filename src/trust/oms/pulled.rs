//! The signatures in a folder that a pull wrote.

use std::fs;
use std::io;
use std::path::Path;

use super::{OmsError, Trusted, Verified, check_layer};
use crate::model::{SIGNATURES_FOLDER, Sha256, folder};
use crate::trust::MAX_BUNDLE_SIZE;
use crate::verify::{Check, Code, DirectoryReport, Finding};

/// How many signatures of a model are looked at.
pub const MAX_SIGNATURES: usize = 50;

/// Checks the signatures in a folder that [`directory`](crate::verify::directory) has verified, of
/// which nothing is read again: somebody who is trusted has signed its files. A signature by
/// somebody else is a finding, but no failure as long as one is by somebody who is trusted. Blocks.
///
/// # Errors
/// The signatures cannot be listed.
pub fn check_pulled(
    root: &Path,
    report: &DirectoryReport,
    trusted: &[Trusted<'_>],
) -> Result<Vec<Finding>, OmsError> {
    let finding = |subject: &str, code| Finding::new(Check::Signature, subject, code);
    let names = list(root)?;
    if names.len() > MAX_SIGNATURES {
        let found = finding(SIGNATURES_FOLDER, Code::Invalid);
        let message = format!(
            "too many signatures: {}, the limit is {MAX_SIGNATURES}",
            names.len()
        );
        return Ok(vec![found.because(message)]);
    }
    let (Some(directory), Ok(manifest)) = (&report.directory, Sha256::try_from(report.manifest))
    else {
        let found = finding(SIGNATURES_FOLDER, Code::Invalid);
        return Ok(vec![
            found.because("they are over another folder: see the other checks"),
        ]);
    };
    let mut findings = Vec::new();
    let mut trusts_one = false;
    for name in &names {
        let path = root.join(name);
        let checked = folder::read_small(&path, MAX_BUNDLE_SIZE)
            .map_err(OmsError::io(&path))
            .and_then(|bundle| check_layer(&bundle, trusted, directory.manifest(), manifest));
        trusts_one |= checked.is_ok();
        findings.push(signature_finding(name, checked));
    }
    if names.is_empty() {
        let found = finding(SIGNATURES_FOLDER, Code::Missing);
        findings.push(found.because("no signature found"));
    } else if !trusts_one {
        findings.push(none_trusted(SIGNATURES_FOLDER));
    }
    Ok(findings)
}

/// What is found of a signature.
pub(super) fn signature_finding(subject: &str, checked: Result<Verified, OmsError>) -> Finding {
    let finding = |code| Finding::new(Check::Signature, subject, code);
    match checked {
        Ok(verified) => finding(Code::Verified).because(verified.to_string()),
        Err(error) if error.is_by_another() => {
            finding(Code::OtherSigner).because(error.to_string())
        }
        Err(error @ OmsError::Io { .. }) => finding(Code::Unreadable).because(error.to_string()),
        Err(error @ OmsError::Differs(_)) => finding(Code::Mismatch).because(error.to_string()),
        Err(error) => finding(Code::Invalid).because(error.to_string()),
    }
}

/// That nobody who is trusted has signed.
pub(super) fn none_trusted(subject: &str) -> Finding {
    let finding = Finding::new(Check::Signature, subject, Code::Missing);
    finding.because("no signature by a signer who is trusted")
}

/// The paths of the signatures from the root of the folder, sorted.
fn list(root: &Path) -> Result<Vec<String>, OmsError> {
    let folder = root.join(SIGNATURES_FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(OmsError::io(&folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(OmsError::io(&folder))?.file_name();
        names.push(format!("{SIGNATURES_FOLDER}/{}", name.to_string_lossy()));
    }
    names.sort();
    Ok(names)
}
