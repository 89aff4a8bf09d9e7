//! Files of external data: a folder and a hostile location → an open regular file below the folder.
//!
//! No component may be a symbolic link, and the file may have one name only: onnx reads neither
//! kind (CVE-2026-27489, CVE-2026-34446, CVE-2026-34447), and ONNX Runtime reads what a hard link
//! outside the folder holds. The kernel resolves the path, so that nothing can be swapped between a
//! check and its use.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use super::location;
use crate::onnx::OnnxError;
use crate::onnx::fault::{FileFault, TensorFault};

/// Opening a pipe must not wait for a writer; a terminal must not become ours.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY);
/// A folder on the way. The root itself may be behind a link: it is the user's, not the model's.
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// Opens a file of external data by its path from a folder.
///
/// # Errors
/// [`OnnxError::External`] with the reason: an unsafe path, a missing file, a symbolic or hard
/// link, something that is not a regular file.
pub fn open(root: &Path, path: &str) -> Result<File, OnnxError> {
    open_file(root, path).map_err(|fault| OnnxError::External {
        location: path.chars().take(200).collect(),
        fault,
    })
}

pub(crate) fn open_file(root: &Path, path: &str) -> Result<File, FileFault> {
    let path = location::normalise(path.as_bytes()).map_err(|fault| match fault {
        TensorFault::Location { reason, .. } => FileFault::Unsafe(reason),
        _ => FileFault::Unsafe("is not safe"),
    })?;
    let root = fs::open(root, FOLDER, Mode::empty()).map_err(fault)?;
    let file = match beneath(root.as_fd(), &path) {
        // Kernels before 5.6 have no openat2, and some sandboxes refuse what they do not know.
        Err(Errno::NOSYS | Errno::PERM) => stepwise(root.as_fd(), &path),
        opened => opened,
    };
    let file = File::from(file.map_err(fault)?);
    let metadata = file.metadata().map_err(FileFault::Io)?;
    match metadata.nlink() {
        _ if !metadata.is_file() => Err(FileFault::NotRegular),
        1 => Ok(file),
        links => Err(FileFault::HardLink(links)),
    }
}

#[cfg(target_os = "linux")]
fn beneath(root: BorrowedFd, path: &str) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    fs::openat2(root, path, READ, Mode::empty(), resolve)
}

#[cfg(not(target_os = "linux"))]
fn beneath(_: BorrowedFd, _: &str) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

/// Opens one component after the other, following no link.
fn stepwise(root: BorrowedFd, path: &str) -> Result<OwnedFd, Errno> {
    let Some((folders, name)) = path.rsplit_once('/') else {
        return fs::openat(root, path, READ | OFlags::NOFOLLOW, Mode::empty());
    };
    let mut folder: Option<OwnedFd> = None;
    for part in folders.split('/') {
        let at = folder.as_ref().map_or(root, AsFd::as_fd);
        folder = Some(open_folder(at, part)?);
    }
    let at = folder.as_ref().map_or(root, AsFd::as_fd);
    fs::openat(at, name, READ | OFlags::NOFOLLOW, Mode::empty())
}

fn open_folder(at: BorrowedFd, name: &str) -> Result<OwnedFd, Errno> {
    match fs::openat(at, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
        // What O_DIRECTORY says of a link.
        Err(Errno::NOTDIR) => match fs::readlinkat(at, name, Vec::new()) {
            Ok(_) => Err(Errno::LOOP),
            Err(_) => Err(Errno::NOTDIR),
        },
        opened => opened,
    }
}

fn fault(error: Errno) -> FileFault {
    match error {
        Errno::NOENT | Errno::NOTDIR => FileFault::Missing,
        Errno::LOOP => FileFault::SymbolicLink,
        // A socket.
        Errno::NXIO | Errno::OPNOTSUPP | Errno::NODEV => FileFault::NotRegular,
        other => FileFault::Io(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// The way without openat2 refuses what the kernel would.
    #[test]
    fn stepping_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/w"), "w").unwrap();
        symlink(root.join("a"), root.join("link")).unwrap();
        symlink("w", root.join("a/b/v")).unwrap();
        let at = fs::open(root, FOLDER, Mode::empty()).unwrap();
        for (path, expected) in [
            ("a/b/w", None),
            ("link/b/w", Some(Errno::LOOP)),
            ("a/b/v", Some(Errno::LOOP)),
            ("a/b/w/x", Some(Errno::NOTDIR)),
            ("a/c/w", Some(Errno::NOENT)),
        ] {
            assert_eq!(stepwise(at.as_fd(), path).err(), expected, "{path}");
        }
    }
}
