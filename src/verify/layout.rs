//! A layout on disk: blobs against their names, and entries against blobs.

use std::collections::{HashMap, HashSet};

use super::hash::hash;
use super::{Check, Code, Finding, parallel};
use crate::oci::{Descriptor, Digest, Document, Kind};
use crate::store::{Layout, StoreError};
use crate::{ErrorKind, Result};

/// Verifies every blob of a layout against its name, on several threads, and that everything which
/// its entries need is there. Repairs nothing. Blocks.
pub fn layout(layout: &Layout) -> Result<Vec<Finding>> {
    let blobs = layout.blobs()?;
    let hashed = parallel::map(&blobs, |(digest, _)| blob(layout, digest));
    let mut findings = hashed
        .into_iter()
        .collect::<Result<Vec<Finding>, StoreError>>()?;
    let sound = blobs
        .iter()
        .zip(&findings)
        .filter(|(_, finding)| !finding.is_failure());
    let sound: HashMap<Digest, u64> = sound.map(|((digest, size), _)| (*digest, *size)).collect();
    for entry in layout.entries()? {
        let subject = entry.to_string();
        let missing = missing(layout, &sound, &entry.manifest);
        findings.push(match missing {
            None => Finding::new(Check::Entry, subject, Code::Verified),
            Some((digest, why)) => Finding::new(Check::Entry, subject, Code::Missing)
                .because(format!("it needs `{digest}`, which {why}")),
        });
    }
    Ok(findings)
}

fn blob(layout: &Layout, digest: &Digest) -> Result<Finding, StoreError> {
    let finding = |code| Finding::new(Check::Blob, digest.to_string(), code);
    let file = match layout.open_blob(digest) {
        Ok((file, _)) => file,
        // `gc` may have removed it since it was listed.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(finding(Code::Missing)),
        Err(StoreError::Layout { reason, .. }) => {
            return Ok(finding(Code::NotRegular).because(reason));
        }
        Err(error) => return Err(error),
    };
    Ok(match hash(file, digest.algorithm(), &[]) {
        Ok(hashed) if hashed.digest == *digest => finding(Code::Verified),
        Ok(hashed) => finding(Code::Mismatch)
            .because(format!("got {} of {} bytes", hashed.digest, hashed.size)),
        Err(error) => finding(Code::Unreadable).because(error.to_string()),
    })
}

/// The first blob that an entry needs and cannot have, and why.
fn missing(
    layout: &Layout,
    sound: &HashMap<Digest, u64>,
    entry: &Descriptor,
) -> Option<(Digest, &'static str)> {
    let mut seen = HashSet::new();
    let mut next = vec![entry.clone()];
    while let Some(descriptor) = next.pop() {
        let digest = descriptor.digest;
        if !seen.insert(digest) {
            continue;
        }
        match sound.get(&digest) {
            None => return Some((digest, "is missing or corrupt")),
            Some(size) if *size != descriptor.size => return Some((digest, "has another size")),
            Some(_) => {}
        }
        if crate::oci::media_type::is_manifest(&descriptor.media_type) {
            match layout.read_document(&digest, Some(&descriptor.media_type)) {
                Ok(document) => next.extend(children(&document)),
                Err(_) => return Some((digest, "is no valid manifest")),
            }
        }
    }
    None
}

/// What a manifest needs. An index may list manifests that are elsewhere.
fn children(document: &Document) -> Vec<Descriptor> {
    match document.kind() {
        Kind::Manifest(manifest) => manifest.blobs().cloned().collect(),
        Kind::Index(_) => Vec::new(),
    }
}
