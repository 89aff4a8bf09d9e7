//! The one place that checks content against its descriptor: length, digest, trailing bytes.
//!
//! reader + descriptor → the same bytes, or an error. A reader that ends without an error has given
//! exactly the blob. The digest is compared before the last piece is handed out, so that whoever
//! reads exactly `size` bytes is safe too; one byte more is asked for and refused at the end.
//!
//! An asynchronous reader hashes inside `poll_read`, in pieces of at most 1 MiB: half a millisecond
//! with SHA instructions, which is less than handing the piece to another thread and back costs
//! under load. Copies poll on a blocking thread anyway ([`crate::transfer`]).

use std::io::{self, Read};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use super::{StoreError, read_error};
use crate::oci::{Descriptor, Digest, Hasher};

/// The most that is hashed in one call of an asynchronous reader.
const MAX_PIECE: usize = 1024 * 1024;

/// Passes content on while checking that it is what a descriptor says.
#[derive(Debug)]
pub struct VerifyReader<R> {
    inner: R,
    check: Check,
}

impl<R> VerifyReader<R> {
    /// Reads a whole blob: its length and digest are checked.
    pub fn new(inner: R, blob: &Descriptor) -> Self {
        let hasher = Some(Hasher::new(blob.digest.algorithm()));
        let check = Check::new(blob.digest, blob.size, hasher);
        Self { inner, check }
    }

    /// Reads a part of a blob: only its length in bytes is checked, and the caller verifies.
    pub fn of_part(inner: R, blob: &Descriptor, length: u64) -> Self {
        let check = Check::new(blob.digest, length, None);
        Self { inner, check }
    }

    /// Reads what follows the first `offset` bytes of a blob: its length is checked, and the caller
    /// verifies the whole.
    pub(super) fn of_rest(inner: R, blob: &Descriptor, offset: u64) -> Self {
        let mut check = Check::new(blob.digest, blob.size, None);
        check.seen = offset.min(blob.size);
        Self { inner, check }
    }
}

impl<R: Read> Read for VerifyReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.check.left() == 0 {
            let extra = read_retrying(&mut self.inner, &mut [0])?;
            self.check.end(extra)?;
            return Ok(0);
        }
        let length = self.check.piece(buffer.len());
        let count = read_retrying(&mut self.inner, &mut buffer[..length])?;
        self.check.add(&buffer[..count])?;
        Ok(count)
    }
}

fn read_retrying(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for VerifyReader<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, check } = self.get_mut();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if check.left() == 0 {
            let mut byte = [0];
            let mut extra = ReadBuf::new(&mut byte);
            ready!(Pin::new(inner).poll_read(context, &mut extra))?;
            return Poll::Ready(check.end(extra.filled().len()));
        }
        let length = check.piece(buffer.remaining());
        if length < buffer.remaining() {
            let mut piece = ReadBuf::new(buffer.initialize_unfilled_to(length));
            ready!(Pin::new(inner).poll_read(context, &mut piece))?;
            let count = piece.filled().len();
            check.add(piece.filled())?;
            buffer.advance(count);
            return Poll::Ready(Ok(()));
        }
        // As a rule all of the buffer may be filled, and then zeros need not be written first: a
        // fifth of a pull went into that.
        let before = buffer.filled().len();
        ready!(Pin::new(inner).poll_read(context, buffer))?;
        let checked = check.add(&buffer.filled()[before..]);
        if checked.is_err() {
            buffer.set_filled(before);
        }
        Poll::Ready(checked)
    }
}

/// Checks that a range lies inside a blob, and says how long it is in bytes.
pub fn check_range(blob: &Descriptor, range: &Range<u64>) -> Result<u64, StoreError> {
    if range.start <= range.end && range.end <= blob.size {
        return Ok(range.end - range.start);
    }
    Err(StoreError::Range {
        blob: blob.digest,
        start: range.start,
        end: range.end,
        size: blob.size,
    })
}

/// What both kinds of readers share.
#[derive(Debug)]
struct Check {
    blob: Digest,
    expected: u64,
    seen: u64,
    /// `None` for a part of a blob.
    hasher: Option<Hasher>,
}

impl Check {
    fn new(blob: Digest, expected: u64, hasher: Option<Hasher>) -> Self {
        Self {
            blob,
            expected,
            seen: 0,
            hasher,
        }
    }

    fn left(&self) -> u64 {
        self.expected - self.seen
    }

    /// How much of a buffer may be filled now; at least one byte, since some are left.
    fn piece(&self, buffer: usize) -> usize {
        let left = usize::try_from(self.left()).unwrap_or(usize::MAX);
        buffer.min(left).min(MAX_PIECE)
    }

    /// Takes in what was read; nothing means that the content ended too early.
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Err(self.wrong_size());
        }
        self.seen += bytes.len() as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        if self.left() == 0 {
            self.compare()?;
        }
        Ok(())
    }

    /// Takes in how many bytes followed the last one.
    fn end(&mut self, extra: usize) -> io::Result<()> {
        if extra > 0 {
            self.seen += extra as u64;
            return Err(self.wrong_size());
        }
        self.compare()
    }

    /// Compares what was read so far; asked again, it gives the same answer.
    fn compare(&self) -> io::Result<()> {
        let Some(hasher) = &self.hasher else {
            return Ok(());
        };
        let (blob, got) = (self.blob, hasher.clone().finish());
        if got == blob {
            return Ok(());
        }
        Err(read_error(StoreError::Mismatch { blob, got }))
    }

    fn wrong_size(&self) -> io::Error {
        read_error(StoreError::Size {
            blob: self.blob,
            got: self.seen,
            expected: self.expected,
        })
    }
}

#[cfg(test)]
mod tests;
