//! Finds the parts of an archive: tar → `index.json` and the positions of blobs.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use tar::{Entry, EntryType};

use crate::oci::{Digest, Index};
use crate::store::StoreError;
use crate::store::entry::parse_index;

/// How many bytes of headers are read: 65,000 entries, and no extension header beyond that.
const MAX_HEADERS: u64 = 32 * 1024 * 1024;
/// The largest `index.json` that is read.
const MAX_INDEX: u64 = 32 * 1024 * 1024;
/// The largest length in bytes that an ordinary header can hold; beyond it a PAX record has it.
const MAX_HEADER_SIZE: u64 = 0o777_7777_7777;

/// The longest message of the tar reader that is shown, in characters.
const MAX_MESSAGE: usize = 200;

/// What an archive holds.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) index: Index,
    pub(super) blobs: HashMap<Digest, Position>,
}

/// Where a file lies in the tar, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) start: u64,
    pub(super) size: u64,
}

/// Scans a tar once; messages call it by the name of its archive. Files that are not of a layout are
/// left alone.
pub(super) fn scan(tar: &Path, path: &Path) -> Result<Contents, StoreError> {
    let refuse = |reason: String| StoreError::Archive {
        path: path.to_owned(),
        reason,
    };
    let file = File::open(tar).map_err(StoreError::io(path))?;
    let length = file.metadata().map_err(StoreError::io(path))?.len();
    let unreadable = |error: io::Error| refuse(format!("not a tar of a layout: {}", shown(&error)));
    let files = files(&file, length).map_err(unreadable)?;
    let mut index = None;
    let mut has_marker = false;
    let mut blobs = HashMap::new();
    for (name, position) in files {
        if name == "index.json" {
            index = Some(read_index(&file, position).map_err(|e| refuse(format!("{name}: {e}")))?);
        } else if name == "oci-layout" {
            has_marker = true;
        } else if let Some(digest) = blob_of(&name) {
            blobs.insert(digest, position);
        }
    }
    match index {
        Some(index) if has_marker => Ok(Contents { index, blobs }),
        Some(_) => Err(refuse("it has no `oci-layout`".to_owned())),
        None => Err(refuse("it has no `index.json`".to_owned())),
    }
}

/// What is wrong, without the raw bytes that the tar reader quotes from the second line on.
fn shown(error: &io::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let shown = line.chars().filter(|c| !c.is_control());
    shown.take(MAX_MESSAGE).collect()
}

/// The regular files of a tar, each name once.
fn files(file: &File, length: u64) -> io::Result<Vec<(String, Position)>> {
    let mut tar = tar::Archive::new(Budget {
        inner: file,
        left: MAX_HEADERS,
    });
    let mut found = Vec::new();
    let mut names = HashSet::new();
    for entry in tar.entries_with_seek()? {
        let mut entry = entry?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refuse = |reason: &str| io::Error::other(format!("entry {name:?}: {reason}"));
        check_extensions(&mut entry).map_err(|reason| refuse(&reason))?;
        if !is_file(&entry).map_err(|reason| refuse(&reason))? {
            continue;
        }
        let clean = clean(&name).ok_or_else(|| refuse("unsafe path"))?;
        let (start, size) = (entry.raw_file_position(), entry.size());
        if start.checked_add(size).is_none_or(|end| end > length) {
            return Err(refuse("it ends beyond the end of the file"));
        }
        if !names.insert(clean.clone()) {
            return Err(refuse("it occurs twice"));
        }
        found.push((clean, Position { start, size }));
    }
    check_end(tar.into_inner())?;
    Ok(found)
}

/// Whether an entry is a file. Folders say nothing; anything else is refused.
fn is_file(entry: &Entry<'_, impl Read>) -> Result<bool, String> {
    match entry.header().entry_type() {
        // Old archives mark a folder by the slash at the end of its name.
        EntryType::Regular => Ok(!entry.path_bytes().ends_with(b"/")),
        EntryType::Directory | EntryType::XGlobalHeader => Ok(false),
        EntryType::Link | EntryType::Symlink => Err("link entries are not allowed".to_owned()),
        other => Err(format!("entries of type {other:?} are not allowed")),
    }
}

/// Refuses what two readers of the same tar could understand differently.
fn check_extensions(entry: &mut Entry<'_, impl Read>) -> Result<(), String> {
    let size = entry.size();
    let in_header = entry.header().entry_size().map_err(|e| e.to_string())?;
    if size != in_header && size <= MAX_HEADER_SIZE {
        return Err(format!(
            "its header says {in_header} bytes, an extension {size}"
        ));
    }
    let name = entry.path_bytes().into_owned();
    let is_global = entry.header().entry_type().is_pax_global_extensions();
    let mut keys = HashSet::new();
    let extensions = entry.pax_extensions().map_err(|e| e.to_string())?;
    for extension in extensions.into_iter().flatten() {
        let extension = extension.map_err(|e| e.to_string())?;
        let key = String::from_utf8_lossy(extension.key_bytes()).into_owned();
        if key.starts_with("GNU.sparse") {
            return Err("sparse files are not allowed".to_owned());
        }
        // A GNU name for the same entry counts here, and this one elsewhere.
        if key == "path" && !is_global && extension.value_bytes() != name {
            return Err("its extensions give it two names".to_owned());
        }
        // Only some readers apply these to the entries that follow. Git writes a comment.
        if is_global && key != "comment" {
            return Err(format!("its extension {key:?} is for all entries"));
        }
        if !keys.insert(key.clone()) {
            return Err(format!("its extension {key:?} occurs twice"));
        }
    }
    Ok(())
}

/// The name without a leading `./`, if it is a path that stays where it is.
fn clean(name: &str) -> Option<String> {
    let name = name.strip_prefix("./").unwrap_or(name);
    let plain = |part: &str| {
        !matches!(part, "" | "." | "..") && !part.contains(|c: char| c == '\\' || c.is_control())
    };
    name.split('/').all(plain).then(|| name.to_owned())
}

fn blob_of(name: &str) -> Option<Digest> {
    let (algorithm, hex) = name.strip_prefix("blobs/")?.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

fn read_index(mut file: &File, position: Position) -> Result<Index, String> {
    if position.size > MAX_INDEX {
        return Err(format!("larger than {MAX_INDEX} bytes"));
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(position.start))
        .and_then(|_| file.take(position.size).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    parse_index(&bytes)
}

/// Refuses anything but padding after the mark of the end: another reader may take it for entries.
fn check_end(mut rest: Budget<&File>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let count = rest.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        if buffer[..count].iter().any(|byte| *byte != 0) {
            return Err(io::Error::other("data after the end of the archive"));
        }
    }
}

/// Reads no more than some bytes altogether; what is skipped by seeking does not count.
struct Budget<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(format!("more than {MAX_HEADERS} bytes of headers")))?;
        Ok(count)
    }
}

impl<R: Seek> Seek for Budget<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
