//! Collects garbage while the registry serves.
//!
//! A content is kept that a manifest needs; and one that a client may be about to need: it was
//! pushed, mounted or asked for a short while ago, or lies in a repository that is being pushed to,
//! as the first layer of a large model is old when the last has arrived. Everything else goes, with
//! the records of it. Manifests without a tag are kept: they can be pulled by digest, and go by
//! being deleted.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::blobs::BLOBS;
use super::catalogue::name_of;
use super::{Depot, Repository, files};
use crate::oci::Digest;
use crate::registry::RegistryError;
use crate::store::StoreError;

/// Contents that are removed before others get their turn.
const AT_ONCE: usize = 16;
/// After this many times the period within which a content counts as new it is garbage even in a
/// repository that never rests.
const AT_LAST: u32 = 24;

/// What a collection has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    /// Contents.
    pub(crate) blobs: usize,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Where contents that nobody needs are recorded, and which of them are kept all the same.
#[derive(Debug, Default)]
struct Survey {
    owners: HashMap<Digest, Vec<Repository>>,
    kept: HashSet<Digest>,
}

impl Depot {
    /// Removes what nobody needs; `None` if another process is adding to the layout just now, or
    /// another collection is in work.
    ///
    /// `young` is how long a content that no manifest needs is kept, and `busy` are repositories
    /// to which an upload is open.
    pub(crate) fn collect(
        &self,
        young: Duration,
        busy: &HashSet<Repository>,
    ) -> Result<Option<Collected>, RegistryError> {
        let Ok(hold) = self.hold.try_lock() else {
            return Ok(None);
        };
        let _alone = match hold.alone() {
            Err(StoreError::Busy { .. }) => return Ok(None),
            alone => alone?,
        };
        let _noting = self.presence.begin();
        let plan = self.layout.gc_plan().map_err(RegistryError::uncollected)?;
        self.drop_entries(&plan.referrers)?;
        let dead: HashSet<Digest> = plan.blobs.iter().map(|(digest, _)| *digest).collect();
        let survey = self.survey(&dead, young, busy)?;
        let mut collected = Collected::default();
        for batch in plan.blobs.chunks(AT_ONCE) {
            let garbage = batch
                .iter()
                .filter(|(digest, _)| !survey.kept.contains(digest));
            let taken = self.take_out(garbage, &survey.owners)?;
            for (name, size) in &taken {
                files::remove(&self.scratch().join(name))?;
                self.ledger.lost(*size);
                collected.bytes += size;
            }
            collected.blobs += taken.len();
        }
        Ok(Some(collected))
    }

    /// Takes contents out of sight while nobody relies on any. To remove a large file takes the
    /// file system a while, and comes later.
    fn take_out<'a>(
        &self,
        garbage: impl Iterator<Item = &'a (Digest, u64)>,
        owners: &HashMap<Digest, Vec<Repository>>,
    ) -> Result<Vec<(String, u64)>, RegistryError> {
        let _nobody = self.presence.remove();
        let mut taken = Vec::new();
        for (digest, size) in garbage {
            if self.presence.is_noted(digest) {
                continue;
            }
            let (content, name) = (self.layout.blob_path(digest), format!("gone-{digest}"));
            fs::rename(&content, self.scratch().join(&name))
                .map_err(RegistryError::at(&content))?;
            for repository in owners.get(digest).into_iter().flatten() {
                if files::remove(&self.record(repository, BLOBS, digest))? {
                    self.ledger.lost_in(repository, *size);
                }
            }
            taken.push((name, *size));
        }
        Ok(taken)
    }

    /// Takes out of the index what refers to a manifest that is gone, and has no name of its own.
    fn drop_entries(&self, dead: &[Digest]) -> Result<(), RegistryError> {
        if dead.is_empty() {
            return Ok(());
        }
        let _nobody = self.presence.remove();
        self.layout.edit_entries(|entries| {
            entries.retain(|entry| {
                name_of(entry).is_some()
                    || !dead.contains(&entry.digest)
                    || self.presence.is_noted(&entry.digest)
            });
        })?;
        Ok(())
    }

    /// Looks up the records of contents that no manifest needs.
    fn survey(
        &self,
        dead: &HashSet<Digest>,
        young: Duration,
        busy: &HashSet<Repository>,
    ) -> Result<Survey, RegistryError> {
        let mut survey = Survey::default();
        for repository in self.repositories()? {
            let mut found = Vec::new();
            let mut newest = Duration::MAX;
            for digest in self.recorded(&repository, BLOBS)? {
                let age = age(&self.record(&repository, BLOBS, &digest));
                newest = newest.min(age);
                if dead.contains(&digest) {
                    found.push((digest, age));
                }
            }
            let in_use = newest <= young || busy.contains(&repository);
            for (digest, age) in found {
                if age <= young || (in_use && age <= young.saturating_mul(AT_LAST)) {
                    survey.kept.insert(digest);
                }
                survey
                    .owners
                    .entry(digest)
                    .or_default()
                    .push(repository.clone());
            }
        }
        Ok(survey)
    }
}

/// How long ago a record was written or asked for. One that cannot be read is as good as new, and
/// so is one from the future.
fn age(record: &Path) -> Duration {
    let changed = fs::metadata(record).and_then(|metadata| metadata.modified());
    let age = changed.map(|changed| SystemTime::now().duration_since(changed));
    age.ok().and_then(Result::ok).unwrap_or_default()
}
