//! The bytes of one blob, written where its pieces say while they pass by; and read back, where an
//! earlier process has written them.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::work::{Access, Work};
use super::{MaterialiseError, Piece};
use crate::Result;
use crate::oci::Hasher;
use crate::store::{Consumer, WRITE_BACK, write_back};
use crate::transfer::Moved;

/// How much is read back at a time, in bytes.
const BUFFER: u64 = 256 * 1024;

/// Takes the bytes of a blob in order and writes them into the files of a plan.
pub(super) struct BlobWriter {
    work: Arc<Work>,
    /// Index into the blobs of the plan.
    blob: usize,
    /// Offset in the blob of the next byte.
    offset: u64,
    first: Lane,
    copies: Lane,
    open: Option<Open>,
    moved: Moved,
}

/// The file written last: most blobs write one file at a time, and no blob keeps many open.
struct Open {
    index: usize,
    file: File,
    /// Bytes at the end of what was written that the system may still keep to itself.
    dirty: Range<u64>,
}

impl BlobWriter {
    /// Begins at the first byte.
    pub(super) fn new(work: &Arc<Work>, blob: usize, moved: Moved) -> Self {
        let spread = &work.spreads[blob];
        Self {
            first: Lane::new(&spread.first),
            copies: Lane::new(&spread.copies),
            work: Arc::clone(work),
            blob,
            offset: 0,
            open: None,
            moved,
        }
    }

    /// Reads back the first bytes of the blob. Only one place of each byte is read; what else was
    /// written of it is written again, so that the digest speaks for everything.
    pub(super) fn read_back(&mut self, end: u64, hash: &mut Hasher) -> Result<()> {
        let mut open: Option<(usize, File)> = None;
        let mut buffer = Vec::new();
        while self.offset < end {
            let stop = (self.offset + BUFFER).min(end);
            buffer.resize((stop - self.offset) as usize, 0);
            for piece in self.first.take(self.offset..stop) {
                let file = match open.take() {
                    Some((index, file)) if index == piece.file => file,
                    _ => self.work.open(piece.file, Access::Read)?,
                };
                let part = &mut buffer[part_of(&piece, self.offset)];
                let read = file.read_exact_at(part, piece.at);
                read.map_err(self.work.failed(piece.file))?;
                open = Some((piece.file, file));
            }
            hash.update(&buffer);
            let copies = self.copies.take(self.offset..stop);
            self.write_pieces(&copies, &buffer)?;
            self.offset = stop;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), MaterialiseError> {
        let range = self.offset..self.offset + bytes.len() as u64;
        let mut pieces = self.first.take(range.clone());
        pieces.extend(self.copies.take(range.clone()));
        self.write_pieces(&pieces, bytes)?;
        self.offset = range.end;
        self.work.record(self.blob, self.offset)
    }

    /// Writes parts of `bytes`, which stand at the current offset of the blob.
    fn write_pieces(&mut self, pieces: &[Piece], bytes: &[u8]) -> Result<(), MaterialiseError> {
        for piece in pieces {
            let part = &bytes[part_of(piece, self.offset)];
            let mut open = match self.open.take() {
                Some(open) if open.index == piece.file => open,
                other => {
                    other.inspect(Open::write_back);
                    Open {
                        index: piece.file,
                        file: self.work.open(piece.file, Access::Write)?,
                        dirty: 0..0,
                    }
                }
            };
            let written = open.file.write_all_at(part, piece.at);
            written.map_err(self.work.failed(piece.file))?;
            open.wrote(piece.at..piece.at + piece.length);
            self.open = Some(open);
        }
        Ok(())
    }
}

/// Where a piece stands in bytes that begin at an offset of the blob and hold it.
fn part_of(piece: &Piece, offset: u64) -> Range<usize> {
    let from = (piece.offset - offset) as usize;
    from..from + piece.length as usize
}

impl Consumer for BlobWriter {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.moved.add(bytes.len() as u64);
        self.work.count(bytes.len() as u64);
        Ok(self.write(bytes)?)
    }
}

impl Open {
    fn wrote(&mut self, range: Range<u64>) {
        if self.dirty.end == range.start {
            self.dirty.end = range.end;
        } else {
            self.write_back();
            self.dirty = range;
        }
        if self.dirty.end - self.dirty.start >= WRITE_BACK {
            self.write_back();
            self.dirty = self.dirty.end..self.dirty.end;
        }
    }

    /// Begins with what is dirty.
    fn write_back(&self) {
        write_back(&self.file, self.dirty.clone());
    }
}

/// Pieces that are passed through in order.
struct Lane {
    pieces: Vec<Piece>,
    /// The first piece that begins later.
    next: usize,
    /// Pieces that have begun and go on. There are several only where pieces overlap.
    begun: Vec<Piece>,
}

impl Lane {
    fn new(pieces: &[Piece]) -> Self {
        Self {
            pieces: pieces.to_vec(),
            next: 0,
            begun: Vec::new(),
        }
    }

    /// The parts of pieces that lie in the next range of the blob.
    fn take(&mut self, range: Range<u64>) -> Vec<Piece> {
        let pieces = self.pieces[self.next..].iter();
        let begin = pieces.take_while(|piece| piece.offset < range.end);
        let before = self.begun.len();
        self.begun.extend(begin);
        self.next += self.begun.len() - before;
        let within = |piece: &Piece| piece.within(range.start, range.end);
        let parts = self.begun.iter().filter_map(within).collect();
        self.begun
            .retain(|piece| piece.offset + piece.length > range.end);
        parts
    }
}
