//! Removes from a layout what no entry leads to.
//!
//! entries → what they reach → the rest. A manifest reaches its config and layers, an index what it
//! lists; a referrer without a name is reached by its subject. Names of blob files that are not
//! digests, and everything outside `blobs` and `ingest`, are left alone.
//!
//! What has come of a blob that a push did not complete is kept for a day, so that the next one goes
//! on with it; then it is taken for abandoned, and at once where the blob is there.
//!
//! Nothing that a running pull or pack has added is removed: these hold the content lock, and `gc`
//! fails with [`StoreError::Busy`] meanwhile. Entries go before blobs, so that a killed `gc` leaves
//! garbage and no entry that leads nowhere.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::lock::{ContentLock, IndexLock};
use super::{Layout, index_file, ingest, partial};
use crate::oci::{Algorithm, Descriptor, Digest, Document, Index, Kind, media_type};
use crate::store::StoreError;
use crate::store::entry::name_of;
use crate::{Error, Result};

/// How long an incomplete blob is kept for whoever goes on with it.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How to collect garbage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcOptions {
    /// How long ago an incomplete blob was last written when it counts as abandoned.
    pub abandoned_after: Duration,
}

impl Default for GcOptions {
    fn default() -> Self {
        Self {
            abandoned_after: KEPT,
        }
    }
}

/// What `gc` removes, or has removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GcPlan {
    /// Blobs that no entry leads to, sorted, with their lengths in bytes.
    pub blobs: Vec<(Digest, u64)>,
    /// Referrers whose subject is not kept.
    pub referrers: Vec<Digest>,
    /// Incomplete blobs with which nobody goes on, sorted, with what they take of the disk in bytes.
    pub partials: Vec<(Digest, u64)>,
    /// Incomplete blobs that are kept for the next push, sorted, likewise.
    pub resumable: Vec<(Digest, u64)>,
    /// Files that killed processes left unfinished, and their temporary folders.
    pub leftovers: Vec<PathBuf>,
}

impl GcPlan {
    /// How many bytes the blobs take, the incomplete ones included.
    pub fn bytes(&self) -> u64 {
        let blobs = self.blobs.iter().chain(&self.partials);
        blobs.map(|(_, size)| size).sum()
    }

    /// How many bytes the incomplete blobs take that are kept.
    pub fn resumable_bytes(&self) -> u64 {
        self.resumable.iter().map(|(_, size)| size).sum()
    }
}

impl Layout {
    /// Says what [`Layout::gc`] would remove now. Nothing is locked or changed.
    pub fn gc_plan(&self) -> Result<GcPlan> {
        self.gc_plan_with(&GcOptions::default())
    }

    /// Says what [`Layout::gc_with`] would remove now. Nothing is locked or changed.
    pub fn gc_plan_with(&self, options: &GcOptions) -> Result<GcPlan> {
        let index = index_file::read(self.root())?;
        let live = self.reachable(&index)?;
        let dead = |entry: &&Descriptor| !live.contains(&entry.digest);
        let mut blobs = self.blobs()?;
        blobs.retain(|(digest, _)| !live.contains(digest));
        let (partials, resumable) = self.incomplete(options)?;
        Ok(GcPlan {
            blobs,
            partials,
            resumable,
            referrers: index
                .manifests
                .iter()
                .filter(dead)
                .map(|e| e.digest)
                .collect(),
            leftovers: ingest::leftovers(self.root())?,
        })
    }

    /// Removes what no entry leads to, and says what that was. Fails with [`StoreError::Busy`]
    /// while a [`super::Hold`] is held, also by this process; where a manifest is broken nothing is
    /// removed, since what it needs is not known.
    pub fn gc(&self) -> Result<GcPlan> {
        self.gc_with(&GcOptions::default())
    }

    /// Does what [`Layout::gc`] does, with options.
    pub fn gc_with(&self, options: &GcOptions) -> Result<GcPlan> {
        let _content = ContentLock::acquire(self.root())?;
        let plan = {
            let _index = IndexLock::acquire(self.root())?;
            let plan = self.gc_plan_with(options)?;
            if !plan.referrers.is_empty() {
                let mut index = index_file::read(self.root())?;
                index
                    .manifests
                    .retain(|e| !plan.referrers.contains(&e.digest));
                index_file::write(self.root(), index)?;
            }
            plan
        };
        for (digest, _) in &plan.blobs {
            remove(self.blob_path(digest))?;
        }
        for (digest, _) in &plan.partials {
            remove(partial::path(self.root(), digest))?;
        }
        for path in &plan.leftovers {
            ingest::remove_leftover(path)?;
        }
        Ok(plan)
    }

    /// The incomplete blobs: those with which nobody goes on, and those that are kept.
    fn incomplete(&self, options: &GcOptions) -> Result<(Counted, Counted), StoreError> {
        let now = SystemTime::now();
        let is_abandoned = |found: &ingest::Incomplete| {
            // A clock that was put back makes nothing old.
            let age = now.duration_since(found.written).unwrap_or_default();
            age >= options.abandoned_after || self.blob_size(&found.blob).is_some()
        };
        let found = ingest::incomplete(self.root())?.into_iter();
        let (gone, kept): (Vec<_>, Vec<_>) = found.partition(is_abandoned);
        let sized = |list: Vec<ingest::Incomplete>| {
            let mut sized: Counted = list.iter().map(|it| (it.blob, it.taken)).collect();
            sized.sort();
            sized
        };
        Ok((sized(gone), sized(kept)))
    }

    /// Lists the blobs, sorted, with their lengths in bytes.
    pub fn blobs(&self) -> Result<Vec<(Digest, u64)>, StoreError> {
        let mut found = Vec::new();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let folder = self.root().join("blobs").join(algorithm.as_str());
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(StoreError::io(&folder))?,
            };
            for entry in entries {
                let entry = entry.map_err(StoreError::io(&folder))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if let Ok(digest) = format!("{algorithm}:{name}").parse() {
                    let metadata = entry.metadata().map_err(StoreError::io(&entry.path()))?;
                    found.push((digest, metadata.len()));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Everything that is kept.
    fn reachable(&self, index: &Index) -> Result<HashSet<Digest>> {
        let mut live = HashSet::new();
        let mut waiting: HashMap<Digest, Vec<Descriptor>> = HashMap::new();
        let mut next = Vec::new();
        for entry in &index.manifests {
            match self.subject_of(entry)? {
                Some(subject) if name_of(entry).is_none() => {
                    waiting.entry(subject).or_default().push(entry.clone());
                }
                _ => next.push(entry.clone()),
            }
        }
        while let Some(blob) = next.pop() {
            if live.insert(blob.digest) {
                next.extend(waiting.remove(&blob.digest).unwrap_or_default());
                next.extend(self.children(&blob)?);
            }
        }
        Ok(live)
    }

    fn subject_of(&self, entry: &Descriptor) -> Result<Option<Digest>> {
        let document = self.document_of(entry)?;
        Ok(document.and_then(|document| Some(document.subject()?.digest)))
    }

    fn children(&self, blob: &Descriptor) -> Result<Vec<Descriptor>> {
        let document = self.document_of(blob)?;
        Ok(
            document.map_or_else(Vec::new, |document| match document.kind() {
                Kind::Manifest(manifest) => manifest.blobs().cloned().collect(),
                Kind::Index(index) => index.manifests.clone(),
            }),
        )
    }

    /// The document, if the blob is one and is there: an index may list what is elsewhere.
    fn document_of(&self, blob: &Descriptor) -> Result<Option<Document>> {
        if !media_type::is_manifest(&blob.media_type) {
            return Ok(None);
        }
        match self.read_document(&blob.digest, Some(&blob.media_type)) {
            Err(Error::Store(StoreError::BlobNotFound { .. })) => Ok(None),
            document => document.map(Some),
        }
    }
}

/// Blobs with a number of bytes.
type Counted = Vec<(Digest, u64)>;

/// Removes a file; one that is gone already is as good.
pub(super) fn remove(path: PathBuf) -> Result<(), StoreError> {
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(&path)(error)),
        _ => Ok(()),
    }
}
