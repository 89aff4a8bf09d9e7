//! A verified statement against a model on disk: findings.

use std::collections::HashMap;

use super::folder::{Folder, Found, sha256_of};
use super::pulled::{none_trusted, signature_finding};
use super::{IgnorePaths, ModelStatement, OmsError, Resource, Signature, Signed, Trusted};
use crate::model::Sha256;
use crate::verify::{Check, Code, Finding, parallel};

/// What may differ between a model on disk and the one that was signed.
#[derive(Debug, Clone, Default)]
pub struct FolderOptions {
    /// What is not looked at, besides what the statement and the specification leave out: the
    /// signature file, if it is in the folder, and what the caller names.
    pub ignore_paths: IgnorePaths,
    /// Whether there may be files that were not signed.
    pub ignore_unsigned_files: bool,
}

/// Checks a signature file over a model on disk: somebody who is trusted has made it, and the files
/// are those that were signed. They are hashed only if the signature is valid. Blocks.
///
/// # Errors
/// Those of [`ModelStatement::check_folder`].
pub fn check_signed(
    signature: (&str, &[u8]),
    trusted: &[Trusted<'_>],
    model: &Folder,
    options: &FolderOptions,
) -> Result<Vec<Finding>, OmsError> {
    let (name, bundle) = signature;
    let verified = Signature::parse(bundle).and_then(|signature| signature.verify_any(trusted));
    let statement = verified
        .as_ref()
        .ok()
        .map(|verified| verified.statement.clone());
    let mut findings = vec![signature_finding(name, verified)];
    match statement {
        Some(statement) => findings.extend(statement.check_folder(model, options)?),
        None if findings[0].is_failure() => {}
        None => findings.push(none_trusted(name)),
    }
    Ok(findings)
}

impl ModelStatement {
    /// Hashes the files of a model that were signed, and looks for others. Blocks.
    ///
    /// # Errors
    /// The folder cannot be listed; what is wrong with its files is a finding.
    pub fn check_folder(
        &self,
        model: &Folder,
        options: &FolderOptions,
    ) -> Result<Vec<Finding>, OmsError> {
        let mut ignored = IgnorePaths::git();
        ignored.extend(&self.ignore_paths);
        ignored.extend(&options.ignore_paths);
        let list = model.list(&ignored)?;
        let mut found: HashMap<&str, &Found> = list
            .iter()
            .map(|found| (found.name.as_str(), found))
            .collect();
        let signed = self.signed(model);
        let pairs: Vec<(&str, Sha256, Option<&Found>)> = signed
            .iter()
            .map(|(name, sha256)| (*name, *sha256, found.remove(name)))
            .collect();
        let mut findings = parallel::map(&pairs, |(name, sha256, found)| {
            check_file(name, *sha256, *found)
        });
        if !options.ignore_unsigned_files {
            let unsigned = list
                .iter()
                .filter(|entry| found.contains_key(entry.name.as_str()));
            findings.extend(unsigned.map(|entry| {
                let finding = Finding::new(Check::File, &entry.name, Code::Unexpected);
                finding.because("it was not signed")
            }));
        }
        Ok(findings)
    }

    /// The signed files by name. One without a name is the model, if that is one file.
    fn signed<'a>(&'a self, model: &'a Folder) -> Vec<(&'a str, Sha256)> {
        match &self.files {
            Signed::Named(resources) => {
                let pair = |resource: &'a Resource| (resource.name.as_str(), resource.sha256);
                resources.iter().map(pair).collect()
            }
            Signed::Single(sha256) if model.is_file() => vec![(model.name(), *sha256)],
            Signed::Single(sha256) => vec![(".", *sha256)],
        }
    }
}

fn check_file(name: &str, signed: Sha256, found: Option<&Found>) -> Finding {
    let finding = |code| Finding::new(Check::File, name, code);
    let Some(found) = found else {
        return finding(Code::Missing).because("it was signed");
    };
    if let Some(fault) = found.fault {
        return finding(Code::NotRegular).because(fault);
    }
    match sha256_of(&found.location) {
        Ok(actual) if actual == signed => {
            finding(Code::Verified).because(signed.digest().to_string())
        }
        Ok(actual) => finding(Code::Mismatch).because(format!(
            "signed was {}, got {}",
            signed.digest(),
            actual.digest()
        )),
        Err(error) => finding(Code::Unreadable).because(error.to_string()),
    }
}
