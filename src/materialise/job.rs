//! The part of a pull that happens on this machine's disk: before the first blob, and after the
//! last one.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::commit::commit;
use super::in_place::is_in_place;
use super::parallel::each;
use super::recover::recover;
use super::stage::{Place, Stage};
use super::target::inspect;
use super::work::{Found, Work, needed};
use super::{MaterialiseError, PlannedFile, PullPlan};
use crate::model::MANIFEST_PATH;
use crate::oci::Digest;
use crate::store::{free_space, on_thread};

/// How many threads wait for the disk at a time: the journal commits what waits together.
const SYNC_THREADS: usize = 8;
/// How often it is looked whether another pull of the same target has ended.
const LOOK: Duration = Duration::from_millis(100);

/// What is to be written, and over what.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// The digest of the manifest.
    pub(super) artifact: Digest,
    pub(super) plan: Arc<PullPlan>,
    /// The bytes of the model manifest, if it is written.
    pub(super) mark: Option<Arc<[u8]>>,
    pub(super) target: PathBuf,
    pub(super) force: bool,
}

/// A pull whose files are there. The target is as it was until the very end. Dropping it keeps what
/// another process can go on with.
pub(super) struct Job {
    order: Order,
    place: Place,
    pub(super) work: Arc<Work>,
}

impl Job {
    /// Waits for its turn, looks at the target, the free space and what an earlier pull has left,
    /// and provides the files. `None` where everything is in place already.
    pub(super) async fn begin(order: Order) -> Result<Option<Self>, MaterialiseError> {
        let target = order.target.clone();
        let place = on_thread(move || place_of(&target)).await?;
        let (place, stage) = match take(&place, &order.target).await {
            Ok(stage) => (place, stage),
            // The parent may not be written, but perhaps the target.
            Err(MaterialiseError::Io { cause, .. })
                if is_refusal(&cause) && order.target.is_dir() =>
            {
                let inside = Place::Inside(order.target.clone());
                let stage = take(&inside, &order.target).await?;
                (inside, stage)
            }
            Err(error) => return Err(error),
        };
        on_thread(move || Self::prepare(order, place, stage)).await
    }

    fn prepare(order: Order, place: Place, stage: Stage) -> Result<Option<Self>, MaterialiseError> {
        recover(&stage, &place, &order.target)?;
        if is_in_place(&order.target, &order.plan, order.mark.as_deref()) {
            stage.remove();
            return Ok(None);
        }
        let found = look(&order, &place, &stage).inspect_err(|_| stage.remove())?;
        let work = Work::begin(stage, found, &order.artifact, &order.plan)?;
        Ok(Some(Self {
            order,
            place,
            work: Arc::new(work),
        }))
    }

    /// Waits until every file is on disk, writes the mark of completeness, and puts all of it in
    /// place of the target. An error leaves the target as it was, and nothing else.
    pub(super) fn finish(self) -> Result<(), MaterialiseError> {
        let finished = self.settle();
        self.work.stage.remove();
        finished
    }

    fn settle(&self) -> Result<(), MaterialiseError> {
        let (tree, plan) = (&self.work.tree, &self.order.plan);
        each(&plan.files, SYNC_THREADS, |file| tree.finish(file))?;
        let mut files = plan.files.clone();
        if let Some(bytes) = self.order.mark.as_deref() {
            let file = PlannedFile {
                path: MANIFEST_PATH.parse().expect("the path is safe"),
                size: bytes.len() as u64,
                digest: Digest::sha256(bytes),
                executable: false,
            };
            let written = tree.create(&file)?.write_all(bytes);
            written.map_err(tree.failed(&file.path))?;
            tree.finish(&file)?;
            files.push(file);
        }
        tree.finish_folders(&files)?;
        let (target, force) = (&self.order.target, self.order.force);
        commit(&self.work.stage, &self.place, target, force)
    }

    /// Ends a pull that has failed, and leaves nothing of it.
    pub(super) fn give_up(self) {
        self.work.stage.remove();
    }
}

/// Looks whether the target may be replaced, what an earlier pull has left, and whether there is
/// space for the rest.
fn look(order: &Order, place: &Place, stage: &Stage) -> Result<Option<Found>, MaterialiseError> {
    inspect(&order.target, order.force)?;
    let found = Found::look(stage, &order.artifact, &order.plan)?;
    check_space(place.base(), needed(stage, &order.plan)?)?;
    Ok(found)
}

/// Where the temporary folder is to be; the folders above are created.
fn place_of(target: &Path) -> Result<Place, MaterialiseError> {
    // What is no folder is never replaced, and a link is not even looked through.
    inspect(target, true)?;
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(MaterialiseError::io(parent))?;
    }
    Place::of(target).map_err(MaterialiseError::io(target))
}

/// Takes the temporary folder, once no other pull has it.
async fn take(place: &Place, target: &Path) -> Result<Stage, MaterialiseError> {
    for tries in 0_u32.. {
        let (place, owned) = (place.clone(), target.to_owned());
        if let Some(stage) = on_thread(move || Stage::take(&place, &owned)).await? {
            return Ok(stage);
        }
        if tries == 1 {
            tracing::warn!("another pull writes `{}`: waiting for it", target.display());
        }
        tokio::time::sleep(LOOK).await;
    }
    unreachable!("there is no last try")
}

/// Whether a folder may not be written into.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

/// Compares the free space with what is needed, of which some is there already.
fn check_space(base: &Path, (needed, held): (u64, u64)) -> Result<(), MaterialiseError> {
    let available = free_space(base).map_err(MaterialiseError::io(base))?;
    let missing = needed.saturating_sub(held).saturating_sub(available);
    match missing {
        0 => Ok(()),
        missing => Err(MaterialiseError::Space {
            path: base.to_owned(),
            needed,
            held,
            available,
            missing,
        }),
    }
}

#[cfg(test)]
mod tests;
