//! Blobs on their way into files, two on a thread.
//!
//! ```text
//! reader ──▶ buffer ──▶ written ──▶ hashed ─┐
//! reader ──▶ buffer ──▶ written ──▶ hashed ─┴─ together, in little more than the time of one
//! ```
//!
//! A thread does one thing after the other, so that bytes are still in the cache of its core when they
//! are written and hashed, and that it may wait for the disk. Blobs in flight take places on as many
//! threads as they need. Memory use depends neither on the length of a blob nor on how many there are.

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::oci::{Descriptor, Hasher};
use crate::store::{Consumer, Piece, Pieces, error_of_read};
use crate::{Error, Result};

/// The length of a buffer in bytes: two of them, and what the network holds of the blobs, fit into the
/// second-level cache of a core.
const BUFFER: usize = 128 * 1024;
/// How many buffers are kept for the next blob.
const KEPT: usize = 16;
/// Blobs on a thread.
const PLACES: usize = 2;

/// The threads of a pull.
pub(super) struct Pairs<C> {
    free: Places<C>,
    pieces: Pieces,
}

/// Places that are free, one entry each; the thread of an entry may have ended.
type Places<C> = Arc<Mutex<Vec<UnboundedSender<Landing<C>>>>>;

impl<C: Consumer> Pairs<C> {
    /// Without a thread yet.
    pub(super) fn new() -> Self {
        Self {
            free: Places::default(),
            pieces: Pieces::keeping(KEPT),
        }
    }

    /// Reads a blob, or the rest of one, to its end: its bytes are given to the consumer and added to
    /// the hasher, which comes back. What the consumer did with the bytes of a bad blob must be undone
    /// by whoever called. Dropping the future ends the reading.
    pub(super) async fn land(
        &self,
        reader: impl AsyncRead + Send + Unpin + 'static,
        blob: &Descriptor,
        (consumer, hasher): (C, Hasher),
    ) -> Result<Hasher> {
        let (sender, outcome) = oneshot::channel();
        // Less for a small blob, and never what a hostile descriptor says.
        let length = usize::try_from(blob.size).map_or(BUFFER, |size| size.clamp(1, BUFFER));
        self.place(Landing {
            blob: blob.clone(),
            reader: Box::new(reader),
            consumer,
            hasher,
            buffer: self.pieces.take_of(length),
            filled: 0,
            hashed: 0,
            is_written: false,
            is_over: false,
            failure: None,
            outcome: sender,
        });
        outcome
            .await
            .expect("the thread of a blob has not panicked")
    }

    /// Gives a blob a place on a thread, or a thread.
    fn place(&self, mut landing: Landing<C>) {
        while let Some(place) = { lock(&self.free) }.pop() {
            match place.send(landing) {
                Ok(()) => return,
                Err(ended) => landing = ended.0,
            }
        }
        let (place, coming) = unbounded_channel();
        lock(&self.free).push(place.clone());
        let pair = Pair {
            free: Arc::clone(&self.free),
            place,
            coming,
            landings: vec![landing],
        };
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || runtime.block_on(pair.run()));
    }
}

fn lock<T>(places: &Mutex<T>) -> MutexGuard<'_, T> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one thread works on.
struct Pair<C> {
    free: Places<C>,
    /// Leads here.
    place: UnboundedSender<Landing<C>>,
    coming: UnboundedReceiver<Landing<C>>,
    landings: Vec<Landing<C>>,
}

impl<C: Consumer> Pair<C> {
    /// Works until there is nothing to do.
    async fn run(mut self) {
        while !self.landings.is_empty() {
            self.fill().await;
            self.write();
            self.hash();
            self.leave();
            if self.landings.is_empty() {
                // A blob may be on its way to a place that was free.
                self.coming.close();
                while let Ok(landing) = self.coming.try_recv() {
                    self.landings.push(landing);
                }
            }
        }
    }

    /// Waits until a blob has filled its buffer, or has come to its end.
    async fn fill(&mut self) {
        poll_fn(|context| {
            while self.landings.len() < PLACES
                && let Poll::Ready(Some(landing)) = self.coming.poll_recv(context)
            {
                self.landings.push(landing);
            }
            let mut filled = Poll::Pending;
            for landing in &mut self.landings {
                if landing.poll_fill(context).is_ready() {
                    filled = Poll::Ready(());
                }
            }
            filled
        })
        .await;
    }

    fn write(&mut self) {
        for landing in &mut self.landings {
            landing.write();
        }
    }

    /// Hashes what two blobs both have together, and otherwise what one has alone.
    fn hash(&mut self) {
        match &mut self.landings[..] {
            [first, second] if first.unhashed().min(second.unhashed()) > 0 => {
                let length = first.unhashed().min(second.unhashed());
                let bytes = [
                    &first.buffer.buffer[first.hashed..][..length],
                    &second.buffer.buffer[second.hashed..][..length],
                ];
                Hasher::update_pair([&mut first.hasher, &mut second.hasher], bytes);
                first.was_hashed(length);
                second.was_hashed(length);
            }
            landings => landings.iter_mut().for_each(Landing::hash),
        }
    }

    /// Lets go of blobs that have come to their end, and gives their places away.
    fn leave(&mut self) {
        for at in (0..self.landings.len()).rev() {
            if self.landings[at].is_done() {
                self.landings.swap_remove(at).leave();
                lock(&self.free).push(self.place.clone());
            }
        }
    }
}

/// A blob on its way.
struct Landing<C> {
    blob: Descriptor,
    reader: Box<dyn AsyncRead + Send + Unpin>,
    consumer: C,
    hasher: Hasher,
    buffer: Piece,
    /// How much of the buffer the reader has filled, and how much of that was hashed.
    filled: usize,
    hashed: usize,
    /// Whether the consumer has what the buffer holds.
    is_written: bool,
    /// Whether the reader has come to its end.
    is_over: bool,
    failure: Option<Error>,
    outcome: oneshot::Sender<Result<Hasher>>,
}

impl<C: Consumer> Landing<C> {
    /// Nobody waits for it any more, it failed, or there is no more of it.
    fn is_done(&self) -> bool {
        let is_complete = self.is_over && self.filled == 0;
        is_complete || self.failure.is_some() || self.outcome.is_closed()
    }

    /// Is ready when there is something to do.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.outcome.poll_closed(context).is_ready() || self.is_written {
            return Poll::Ready(());
        }
        while self.filled < self.buffer.buffer.len() && !self.is_over {
            let mut room = ReadBuf::new(&mut self.buffer.buffer[self.filled..]);
            if let Err(error) = ready!(Pin::new(&mut self.reader).poll_read(context, &mut room)) {
                self.failure = Some(error_of_read(error, &self.blob.digest));
                break;
            }
            self.is_over = room.filled().is_empty();
            self.filled += room.filled().len();
        }
        Poll::Ready(())
    }

    /// Gives the consumer what the buffer holds, if it is full or there is no more.
    fn write(&mut self) {
        let is_full = self.is_over || self.filled == self.buffer.buffer.len();
        if !is_full || self.is_written || self.is_done() {
            return;
        }
        match self.consumer.take(&self.buffer.buffer[..self.filled]) {
            Ok(()) => self.is_written = true,
            Err(error) => self.failure = Some(error),
        }
    }

    /// How much of what was written has to be hashed.
    fn unhashed(&self) -> usize {
        match self.is_written {
            true => self.filled - self.hashed,
            false => 0,
        }
    }

    fn hash(&mut self) {
        let length = self.unhashed();
        let bytes = &self.buffer.buffer[self.hashed..][..length];
        self.hasher.update(bytes);
        self.was_hashed(length);
    }

    /// Empties the buffer if that was the rest of it.
    fn was_hashed(&mut self, length: usize) {
        self.hashed += length;
        if self.is_written && self.hashed == self.filled {
            (self.filled, self.hashed, self.is_written) = (0, 0, false);
        }
    }

    /// Tells who waits what became of it.
    fn leave(self) {
        let outcome = match self.failure {
            Some(error) => Err(error),
            None => Ok(self.hasher),
        };
        // Nobody may wait any more.
        let _ = self.outcome.send(outcome);
    }
}
