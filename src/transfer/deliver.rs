//! One blob into a store, whatever it comes from: is it there? → else it is pushed.

use std::fs::File;
use std::io::{self, Read};

use super::flight::Moved;
use crate::Result;
use crate::oci::Descriptor;
use crate::store::{BlobSource, Storage};

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was there already.
    Present,
    /// It was pushed.
    Pushed,
}

/// Puts a blob into a store unless it is there; counts what is read of its content.
pub(crate) async fn deliver<D: Storage>(
    sink: &D,
    blob: &Descriptor,
    content: &dyn BlobSource,
    moved: &Moved,
) -> Result<Outcome> {
    if sink.exists(blob).await? {
        return Ok(Outcome::Present);
    }
    sink.push(blob, &Counted { content, moved }).await?;
    Ok(Outcome::Pushed)
}

/// Content whose bytes are counted while they are read, or a reader of it.
struct Counted<C, M> {
    content: C,
    moved: M,
}

impl BlobSource for Counted<&dyn BlobSource, &Moved> {
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Counted {
            content: self.content.open_at(offset)?,
            moved: self.moved.clone(),
        }))
    }

    fn local_file(&self) -> Option<File> {
        self.content.local_file()
    }
}

impl<R: Read> Read for Counted<R, Moved> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.moved.add(read as u64);
        Ok(read)
    }
}
