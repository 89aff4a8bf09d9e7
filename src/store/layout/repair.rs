//! Makes a damaged layout a sound one again, without inventing anything.
//!
//! a folder with `blobs` → every blob has the content of its name, `index.json` and `oci-layout` are
//! valid, and entries lead only to manifests that are there. What is lost is reported: a blob that
//! was corrupt is removed, so that the next pull brings it again. Of a broken `index.json` the
//! entries that can still be read are kept with their names; other manifests are listed without.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use super::gc::remove;
use super::lock::{ContentLock, IndexLock};
use super::{Layout, index_file, ingest, open};
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Index, Kind, MAX_MANIFEST_SIZE};
use crate::store::entry::{describe_referrer, parse_index, unnamed};
use crate::store::{Entry, StoreError, VerifyReader};

/// What `repair` found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// How many blobs were hashed.
    pub checked: usize,
    /// Blobs whose content was not that of their name; they are removed.
    pub corrupt: Vec<Digest>,
    /// Blobs that entries need and that are not there, the corrupt ones included.
    pub missing: Vec<Digest>,
    /// Entries whose manifest is not there; they are removed.
    pub dropped: Vec<Entry>,
    /// Whether `index.json` was broken and was made again from what could be read.
    pub index_rebuilt: bool,
    /// Whether `oci-layout` was broken and was written again.
    pub marker_rewritten: bool,
    /// How many unfinished files were removed.
    pub leftovers: usize,
}

impl RepairReport {
    /// Whether nothing was wrong.
    pub fn is_clean(&self) -> bool {
        let checked = self.checked;
        *self
            == Self {
                checked,
                ..Self::default()
            }
    }
}

/// A manifest or index that was found among the blobs.
struct Found {
    descriptor: Descriptor,
    children: Vec<Digest>,
}

impl Layout {
    /// Repairs the layout in a folder. It has to have `blobs`, whatever else is broken or gone.
    /// Fails with [`StoreError::Busy`] while a [`super::Hold`] is held.
    pub fn repair(path: &Path) -> Result<RepairReport> {
        let reason = "not found: the folder is not an OCI image layout".to_owned();
        let blobs = path.join("blobs");
        if !blobs.is_dir() {
            let path = blobs;
            return Err(StoreError::Layout { path, reason }.into());
        }
        let layout = Self::unchecked(path);
        let _content = ContentLock::acquire(path)?;
        let _index = IndexLock::acquire(path)?;
        let mut report = RepairReport::default();
        let found = layout.check_blobs(&mut report)?;
        layout.repair_index(&found, &mut report)?;
        if Self::open(path).is_err() {
            open::write_marker(path)?;
            report.marker_rewritten = true;
        }
        for file in ingest::leftovers(path)? {
            ingest::remove_leftover(&file)?;
            report.leftovers += 1;
        }
        Ok(report)
    }

    /// Hashes every blob, removes those that are not what they are called, and collects documents.
    fn check_blobs(&self, report: &mut RepairReport) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for (digest, size) in self.blobs()? {
            report.checked += 1;
            if !self.is_sound(&digest, size)? {
                remove(self.blob_path(&digest))?;
                report.corrupt.push(digest);
            } else if size <= MAX_MANIFEST_SIZE
                && let Ok(document) = self.read_document(&digest, None)
            {
                found.push(Found {
                    descriptor: describe_referrer(&document, digest),
                    children: children(&document),
                });
            }
        }
        Ok(found)
    }

    /// Whether a blob has the content of its name. A disk that cannot be read is another matter.
    fn is_sound(&self, digest: &Digest, size: u64) -> Result<bool, StoreError> {
        let file = match self.open_blob(digest) {
            Ok((file, _)) => file,
            Err(StoreError::Layout { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let expected = Descriptor::new("", *digest, size);
        let mut reader = io::BufReader::with_capacity(1 << 20, VerifyReader::new(file, &expected));
        match io::copy(&mut reader, &mut io::sink()) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
            Err(error) => Err(StoreError::io(&self.blob_path(digest))(error)),
        }
    }

    fn repair_index(&self, found: &[Found], report: &mut RepairReport) -> Result<()> {
        let path = index_file::path(self.root());
        let bytes = match index_file::read_bytes(&path) {
            Err(StoreError::Layout { .. }) => Vec::new(),
            bytes => bytes?,
        };
        let index = parse_index(&bytes).unwrap_or_else(|_| {
            report.index_rebuilt = true;
            Index::new(rebuild(&bytes, found))
        });
        let mut kept = Index::new(Vec::new());
        for entry in &index.manifests {
            if self.blob_size(&entry.digest) == Some(entry.size) {
                kept.manifests.push(entry.clone());
            } else {
                report.dropped.push(Entry::from(entry.clone()));
            }
        }
        report.missing = self.missing(&kept.manifests, found);
        if report.index_rebuilt || !report.dropped.is_empty() {
            index_file::write(self.root(), kept)?;
        }
        Ok(())
    }

    /// Everything that the entries need and that is not there.
    fn missing(&self, entries: &[Descriptor], found: &[Found]) -> Vec<Digest> {
        let mut next: Vec<Digest> = entries.iter().map(|entry| entry.digest).collect();
        let mut seen = HashSet::new();
        let mut missing = Vec::new();
        while let Some(digest) = next.pop() {
            if !seen.insert(digest) {
                continue;
            }
            if self.blob_size(&digest).is_none() {
                missing.push(digest);
            }
            let document = found.iter().find(|it| it.descriptor.digest == digest);
            next.extend(document.iter().flat_map(|it| &it.children));
        }
        missing.sort();
        missing
    }
}

/// The entries of a broken index: those that can be read, then every document that is not part of
/// another one, without a name.
fn rebuild(bytes: &[u8], found: &[Found]) -> Vec<Descriptor> {
    let mut entries = salvage(bytes);
    entries.retain(|e| found.iter().any(|it| it.descriptor.digest == e.digest));
    let parts: HashSet<Digest> = found.iter().flat_map(|it| it.children.clone()).collect();
    for it in found {
        let digest = it.descriptor.digest;
        let listed = entries.iter().any(|entry| entry.digest == digest);
        if !listed && !parts.contains(&digest) {
            entries.push(unnamed(it.descriptor.clone()));
        }
    }
    entries
}

/// Every whole descriptor in a broken document.
fn salvage(bytes: &[u8]) -> Vec<Descriptor> {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'{');
    let parse = |start: usize| {
        let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter();
        values.next()?.ok()
    };
    starts.filter_map(|(start, _)| parse(start)).collect()
}

fn children(document: &Document) -> Vec<Digest> {
    match document.kind() {
        Kind::Manifest(manifest) => manifest.blobs().map(|blob| blob.digest).collect(),
        Kind::Index(index) => index.manifests.iter().map(|child| child.digest).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::{annotation, media_type};
    use crate::store::entry::name_of;

    fn found(content: &str, children: &[&Found]) -> Found {
        Found {
            descriptor: Descriptor::of(media_type::MANIFEST, content.as_bytes()),
            children: children.iter().map(|it| it.descriptor.digest).collect(),
        }
    }

    /// Security row K8: wherever an index breaks off, no manifest is lost, and none is made up.
    #[test]
    fn index_cut_anywhere_is_rebuilt_with_the_names_before_the_cut() {
        let child = found("child", &[]);
        let parent = found("parent", &[&child]);
        let found = [child, parent, found("first", &[]), found("last", &[])];
        let named = |it: &Found, name: &str| {
            let mut entry = it.descriptor.clone();
            let key = annotation::REF_NAME.to_owned();
            entry.annotations.insert(key, name.to_owned());
            entry
        };
        let mut listed = vec![named(&found[2], "first"), named(&found[3], "last")];
        listed.push(Descriptor::of(media_type::MANIFEST, b"not among the blobs"));
        let whole = Document::from_index(Index::new(listed));
        let text = std::str::from_utf8(whole.raw()).unwrap();
        let end_of = |name: &str| text.find(&format!("{name}\"}}}}")).unwrap() + name.len() + 3;
        for length in 0..text.len() {
            assert!(parse_index(&whole.raw()[..length]).is_err());
            let mut entries = rebuild(&whole.raw()[..length], &found);
            let names: Vec<String> = entries
                .iter()
                .filter_map(|entry| name_of(entry).map(str::to_owned))
                .collect();
            let kept = ["first", "last"].into_iter();
            let expected: Vec<_> = kept.filter(|name| end_of(name) <= length).collect();
            assert_eq!(names, expected, "cut at {length}");
            entries.sort_by_key(|entry| entry.digest);
            let mut roots: Vec<Digest> = found[1..].iter().map(|it| it.descriptor.digest).collect();
            roots.sort();
            assert!(entries.iter().map(|entry| entry.digest).eq(roots));
        }
    }
}
