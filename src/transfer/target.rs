//! One blob into a store, whatever it comes from: is it there? → can it be mounted? → else it is
//! pushed.

use std::fs::File;
use std::io::{self, Read};

use super::flight::Moved;
use crate::oci::{Descriptor, media_type};
use crate::store::{BlobSource, Storage};
use crate::{ErrorKind, Result};

/// A store that blobs go into.
#[derive(Debug)]
pub(crate) struct Target<'a, D> {
    sink: &'a D,
    mount_from: &'a [String],
    /// Whether the sink is believed when it says that it has a blob.
    is_believed: bool,
}

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was there already.
    Present,
    /// It was mounted from another repository of the registry.
    Mounted,
    /// It was pushed.
    Pushed,
}

impl<'a, D: Storage> Target<'a, D> {
    /// A store, and the repositories beside it that may have what is wanted.
    pub(crate) fn new(sink: &'a D, mount_from: &'a [String]) -> Self {
        Self {
            sink,
            mount_from,
            is_believed: true,
        }
    }

    /// The store.
    pub(crate) fn sink(&self) -> &'a D {
        self.sink
    }

    /// The same store, which has shown that it does not know what it has: blobs are pushed anyway.
    pub(crate) fn doubted(&self) -> Self {
        Self {
            is_believed: false,
            ..*self
        }
    }

    /// Puts a blob into the store unless it is there; counts what is read of its content.
    pub(crate) async fn deliver(
        &self,
        blob: &Descriptor,
        content: &dyn BlobSource,
        moved: &Moved,
    ) -> Result<Outcome> {
        if self.is_believed {
            if self.sink.exists(blob).await? {
                return Ok(Outcome::Present);
            }
            if self.mount(blob).await? {
                return Ok(Outcome::Mounted);
            }
        }
        self.sink.push(blob, &Counted { content, moved }).await?;
        Ok(Outcome::Pushed)
    }

    /// Mounts a blob from the first repository that gives it. A registry that refuses is no reason
    /// to fail: the push that follows tells what is wrong, if anything is.
    async fn mount(&self, blob: &Descriptor) -> Result<bool> {
        if media_type::is_manifest(&blob.media_type) {
            return Ok(false);
        }
        for repository in self.mount_from {
            match self.sink.mount(blob, repository).await {
                Ok(true) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Unavailable => return Err(error),
                Ok(false) | Err(_) => {}
            }
        }
        Ok(false)
    }
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
