//! A file of a model, read out of the layers of a folder in the split form.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::{Extent, Layer, folder};

/// Gives the bytes of extents, one after the other, without writing the file.
pub(crate) struct ExtentReader<'a> {
    root: &'a Path,
    layers: &'a [Layer],
    /// What is left; the first one only from `done` on.
    left: &'a [Extent],
    /// How much of the first extent was read, in bytes.
    done: u64,
    /// The layer read last.
    open: Option<(u32, File)>,
}

impl<'a> ExtentReader<'a> {
    /// Reads extents of a checked model manifest.
    pub(crate) fn new(root: &'a Path, layers: &'a [Layer], extents: &'a [Extent]) -> Self {
        Self {
            root,
            layers,
            left: extents,
            done: 0,
            open: None,
        }
    }

    fn layer(&mut self, index: u32) -> io::Result<&File> {
        let file = match self.open.take() {
            Some((open, file)) if open == index => file,
            _ => {
                let path = &self.layers[index as usize].path;
                folder::open_regular(&path.under(self.root))?
            }
        };
        Ok(&self.open.insert((index, file)).1)
    }
}

impl Read for ExtentReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((extent, rest)) = self.left.split_first() else {
            return Ok(0);
        };
        let left = usize::try_from(extent.length - self.done).unwrap_or(usize::MAX);
        let length = left.min(buffer.len());
        let at = extent.offset + self.done;
        let read = self
            .layer(extent.layer)?
            .read_at(&mut buffer[..length], at)?;
        if read == 0 && length > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.done += read as u64;
        if self.done == extent.length {
            (self.left, self.done) = (rest, 0);
        }
        Ok(read)
    }
}
