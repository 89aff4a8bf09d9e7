//! Blobs on their way into files, two on a thread.
//!
//! ```text
//! reader ──▶ buffers ──▶ written ──▶ hashed ─┐
//! reader ──▶ buffers ──▶ written ──▶ hashed ─┴─ together, in little more than the time of one
//! ```
//!
//! A task reads ahead while a thread does one thing after the other, so that bytes are still in the
//! cache of its core when they are hashed, and that it may wait for the disk. Blobs in flight take places
//! on as many threads as they need. Memory use depends neither on the length of a blob nor on how many
//! there are.

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::AsyncRead;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::oci::{Descriptor, Digest, Hasher};
use crate::store::{Consumer, Piece, Pieces, error_of_read, read_ahead};
use crate::{Error, Result};

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
        let (reading, coming) = read_ahead(reader, blob, &self.pieces);
        self.place(Landing {
            digest: blob.digest,
            coming,
            _reading: reading,
            consumer,
            hasher,
            piece: None,
            hashed: 0,
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
        let unhashed = |landing: &Landing<C>| landing.unhashed().len();
        if let [first, second] = &mut self.landings[..] {
            let common = unhashed(first).min(unhashed(second));
            if common > 0 {
                let hashers = [&mut first.hasher, &mut second.hasher];
                let pieces = [(&first.piece, first.hashed), (&second.piece, second.hashed)];
                let bytes = pieces.map(|(piece, hashed)| {
                    let piece = piece.as_ref().expect("it has bytes");
                    &piece.buffer[hashed..][..common]
                });
                Hasher::update_pair(hashers, bytes);
                first.was_hashed(common);
                second.was_hashed(common);
                return;
            }
        }
        for landing in &mut self.landings {
            if let Some(piece) = &landing.piece {
                landing.hasher.update(&piece.buffer[landing.hashed..]);
                landing.was_hashed(unhashed(landing));
            }
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
    digest: Digest,
    coming: Receiver<io::Result<Piece>>,
    /// Ends with it.
    _reading: JoinSet<()>,
    consumer: C,
    hasher: Hasher,
    /// What the consumer has been given, and the hasher not yet, or not all of it.
    piece: Option<Piece>,
    /// How much of the piece was hashed.
    hashed: usize,
    is_over: bool,
    failure: Option<Error>,
    outcome: oneshot::Sender<Result<Hasher>>,
}

impl<C: Consumer> Landing<C> {
    /// Nobody waits for it any more, it failed, or there is no more of it.
    fn is_done(&self) -> bool {
        self.is_over || self.failure.is_some() || self.outcome.is_closed()
    }

    /// Is ready when there is something to do.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.outcome.poll_closed(context).is_ready() || self.piece.is_some() {
            return Poll::Ready(());
        }
        match ready!(self.coming.poll_recv(context)) {
            Some(Ok(piece)) => self.piece = Some(piece),
            Some(Err(error)) => self.failure = Some(error_of_read(error, &self.digest)),
            None => self.is_over = true,
        }
        Poll::Ready(())
    }

    /// Gives the consumer a piece that has come.
    fn write(&mut self) {
        if self.hashed > 0 || self.is_done() {
            return;
        }
        let Some(piece) = &self.piece else { return };
        if let Err(error) = self.consumer.take(&piece.buffer) {
            self.failure = Some(error);
        }
    }

    /// What of the piece has to be hashed.
    fn unhashed(&self) -> &[u8] {
        let piece = self.piece.as_ref();
        piece.map_or(&[], |piece| &piece.buffer[self.hashed..])
    }

    /// Lets go of the piece if that was the rest of it.
    fn was_hashed(&mut self, length: usize) {
        self.hashed += length;
        if self.unhashed().is_empty() {
            (self.piece, self.hashed) = (None, 0);
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
