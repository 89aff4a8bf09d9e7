//! Whether what a pull would write stands at the target already: then there is nothing to do.
//!
//! Only reads: names and lengths first, and where they agree every file is hashed.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::Mode;

use super::parallel::each;
use super::target::is_aside;
use super::tree::{EXECUTABLE, FILE};
use super::work::known_folders;
use super::{MaterialiseError, PlannedFile, PullPlan};
use crate::model::{MANIFEST_PATH, folder};
use crate::oci::Hasher;

/// How much is read at a time, in bytes.
const BUFFER: usize = 256 * 1024;

/// Whether the target holds the files of a plan with the mark, each as it would be written, and
/// nothing else. What cannot be read does not.
pub(super) fn is_in_place(target: &Path, plan: &PullPlan, mark: Option<&[u8]>) -> bool {
    has_names(target, plan, mark).unwrap_or(false) && has_contents(target, plan)
}

fn has_names(target: &Path, plan: &PullPlan, mark: Option<&[u8]>) -> io::Result<bool> {
    if let Some(bytes) = mark
        && folder::read_small(&target.join(MANIFEST_PATH), bytes.len() as u64)? != bytes
    {
        return Ok(false);
    }
    let files: HashSet<&str> = plan.files.iter().map(|file| file.path.as_str()).collect();
    let folders = known_folders(plan);
    let mut found = 0;
    for entry in folder::walk(target)? {
        if entry.path.iter().next().is_some_and(is_aside) {
            continue;
        }
        match entry.path.to_str() {
            Some(path) if entry.is_folder() && folders.contains(path) => {}
            Some(MANIFEST_PATH) if mark.is_some() => {}
            Some(path) if files.contains(path) => found += 1,
            _ => return Ok(false),
        }
    }
    let is_as_written = |file: &PlannedFile| {
        let metadata = file.path.under(target).symlink_metadata()?;
        let mode = if file.executable { EXECUTABLE } else { FILE };
        let has_mode = Mode::from_raw_mode(std::os::unix::fs::MetadataExt::mode(&metadata)) == mode;
        Ok(metadata.is_file() && metadata.len() == file.size && has_mode)
    };
    let mut as_written = plan.files.iter().map(is_as_written);
    Ok(found == files.len() && as_written.all(|file: io::Result<bool>| file.unwrap_or(false)))
}

fn has_contents(target: &Path, plan: &PullPlan) -> bool {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    each(&plan.files, threads, |file| {
        let path = file.path.under(target);
        let hashed = folder::open_regular(&path).and_then(|opened| {
            let mut hasher = Hasher::new(file.digest.algorithm());
            hash(opened, &mut hasher).map(|()| hasher.finish())
        });
        match hashed {
            Ok(digest) if digest == file.digest => Ok(()),
            Ok(_) => Err(MaterialiseError::io(&path)(io::Error::other("changed"))),
            Err(error) => Err(MaterialiseError::io(&path)(error)),
        }
    })
    .is_ok()
}

fn hash(mut file: File, hasher: &mut Hasher) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
