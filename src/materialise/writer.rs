//! The bytes of one blob, written where its pieces say while they pass by.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::tree::Tree;
use super::{MaterialiseError, Piece, PullPlan};

/// Takes the bytes of a blob in order and writes them into the files of a plan.
pub(super) struct BlobWriter {
    tree: Arc<Tree>,
    plan: Arc<PullPlan>,
    /// Index into the blobs of the plan.
    blob: usize,
    /// Offset in the blob of the next byte.
    offset: u64,
    /// The first piece that begins later.
    next: usize,
    /// Pieces that have begun and go on. There are several only where pieces overlap.
    begun: Vec<Piece>,
    /// The file written last: most blobs write one file at a time, and no blob keeps many open.
    open: Option<(usize, File)>,
}

impl BlobWriter {
    pub(super) fn new(tree: Arc<Tree>, plan: Arc<PullPlan>, blob: usize) -> Self {
        Self {
            tree,
            plan,
            blob,
            offset: 0,
            next: 0,
            begun: Vec::new(),
            open: None,
        }
    }

    /// Writes the next bytes of the blob.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), MaterialiseError> {
        let start = self.offset;
        let end = start + bytes.len() as u64;
        let plan = Arc::clone(&self.plan);
        let begin = plan.blobs[self.blob].pieces[self.next..]
            .iter()
            .take_while(|piece| piece.offset < end)
            .inspect(|_| self.next += 1);
        self.begun.extend(begin);
        let mut begun = std::mem::take(&mut self.begun);
        for piece in &begun {
            let from = piece.offset.max(start);
            let to = (piece.offset + piece.length).min(end);
            // Both are inside `bytes`.
            let part = &bytes[(from - start) as usize..(to - start) as usize];
            self.write_at(piece.file, part, piece.at + (from - piece.offset))?;
        }
        begun.retain(|piece| piece.offset + piece.length > end);
        self.begun = begun;
        self.offset = end;
        Ok(())
    }

    fn write_at(&mut self, file: usize, part: &[u8], at: u64) -> Result<(), MaterialiseError> {
        let path = &self.plan.files[file].path;
        let opened = match self.open.take() {
            Some((index, opened)) if index == file => opened,
            _ => self.tree.open(path)?,
        };
        let written = opened.write_all_at(part, at);
        self.open = Some((file, opened));
        written.map_err(self.tree.failed(path))
    }
}
