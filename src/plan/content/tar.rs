//! A tar whose bytes depend on names and contents of its members alone.
//!
//! Members in the order given, mode 0644 or 0755, everything else zero: no time, no owner, no
//! device. The archive is never written: its headers are in memory, its contents stay where they
//! are, and each member's offset is known, because extents reach into it.

use std::io;
use std::sync::Arc;

use super::{Segment, Segments};
use crate::model::FilePath;
use crate::model::source::ModelFile;

/// The unit of a tar, in bytes.
const BLOCK: u64 = 512;

/// A file that goes into an archive.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Member {
    /// Its name in the archive.
    pub(in crate::plan) name: FilePath,
    /// Its content.
    pub(in crate::plan) file: Arc<ModelFile>,
}

/// An archive, and where in it the content of each member begins.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Archive {
    pub(in crate::plan) content: Segments,
    pub(in crate::plan) offsets: Vec<u64>,
}

/// Lays out an archive.
pub(in crate::plan) fn archive(members: &[Member]) -> io::Result<Archive> {
    let mut segments = Vec::new();
    let mut offsets = Vec::new();
    let mut end = 0;
    for Member { name, file } in members {
        let header = header(name, file)?;
        end += header.len() as u64;
        segments.push(Segment::Bytes(header.into()));
        offsets.push(end);
        segments.push(Segment::Range {
            file: Arc::clone(file),
            offset: 0,
            length: file.size,
        });
        let padding = file.size.next_multiple_of(BLOCK) - file.size;
        segments.push(Segment::Zeros(padding));
        end += file.size + padding;
    }
    segments.push(Segment::Zeros(2 * BLOCK));
    Ok(Archive {
        content: segments.into_iter().collect(),
        offsets,
    })
}

/// The header of a member; of a name too long for one, the blocks that carry it come before.
fn header(name: &FilePath, file: &ModelFile) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    if header.set_path(name.as_str()).is_err() {
        header = tar::Header::new_gnu();
    }
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(if file.executable { 0o755 } else { 0o644 });
    header.set_size(file.size);
    for zero in [
        tar::Header::set_uid,
        tar::Header::set_gid,
        tar::Header::set_mtime,
    ] {
        zero(&mut header, 0);
    }
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, name.as_str(), io::empty())?;
    Ok(builder.get_ref().clone())
}
