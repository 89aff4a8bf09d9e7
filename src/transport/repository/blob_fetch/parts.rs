//! A blob in parts, each over a connection of its own, in the order of the blob.
//!
//! ```text
//! parts      ▓▓▓▓▓▓ ▓▓▓▓░░ ▓▓▓░░░ ▓▓░░░░ ░░░░░░      ▓ has come   ░ is coming
//!            └── the reader is here        └── asked for, not read yet
//!            ├──────── window ────────┤
//! ```
//!
//! What comes too early waits in memory, so a connection is read only inside a window that moves on
//! with the reader; the part that the reader waits for is always in it. Parts are asked for before
//! the window reaches them, so that the time until an answer begins costs nothing.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::stream::Stream;
use super::supply::Supply;
use crate::transport::TransportError;
use crate::transport::http::{Lane, Lanes, PART_BUFFER, Splitting};

/// A part that keeps the reader waiting is asked for again after at least this long.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(2);
/// So often; then the ordinary time-outs decide.
const MAX_HURRIES: u32 = 3;

/// What a connection gives: the next bytes of its part, or why there are no more.
type Delivery = Result<Bytes, TransportError>;

/// The rest of a blob, in parts.
pub(super) struct Parts {
    supply: Arc<Supply>,
    lanes: Arc<Lanes>,
    _splitting: Splitting,
    /// Where the first part begins.
    start: u64,
    /// The parts that were asked for, in order.
    queue: VecDeque<Part>,
    /// Where the next part begins, and where the last one ends.
    next: Range<u64>,
    /// The end of what may be read now.
    window: watch::Sender<u64>,
    /// How long was waited for the parts so far.
    durations: (UnboundedSender<Duration>, UnboundedReceiver<Duration>),
    typical: Duration,
    tasks: JoinSet<()>,
}

struct Part {
    /// What the reader has not had yet.
    missing: Range<u64>,
    pieces: UnboundedReceiver<Delivery>,
    task: AbortHandle,
    hurries: u32,
}

impl Parts {
    pub(super) fn new(supply: &Arc<Supply>, lanes: &Arc<Lanes>, range: Range<u64>) -> Self {
        Self {
            supply: Arc::clone(supply),
            lanes: Arc::clone(lanes),
            _splitting: lanes.split(),
            start: range.start,
            queue: VecDeque::new(),
            window: watch::channel(range.start).0,
            next: range,
            durations: unbounded_channel(),
            typical: Duration::ZERO,
            tasks: JoinSet::new(),
        }
    }

    /// Where the first part begins.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Where the next byte is in the blob.
    pub(super) fn position(&self) -> u64 {
        let front = self.queue.front();
        front.map_or(self.next.start, |part| part.missing.start)
    }

    /// Asks for as many parts as there are connections; for one, until it is certain that the
    /// registry gives parts at all.
    pub(super) fn fill(&mut self) {
        while let Ok(duration) = self.durations.1.try_recv() {
            // Settles within a few parts, and one odd part does not matter.
            self.typical = (self.typical * 3 + duration) / 4;
        }
        while self.tasks.try_join_next().is_some() {}
        let (share, window) = match self.supply.gave_range() {
            true => (self.lanes.share(), self.lanes.window()),
            false if self.queue.is_empty() => (1, self.lanes.options.part),
            // The first part tells; nothing more is asked for until it has.
            false => return,
        };
        let reach = self.position() + window;
        self.window.send_if_modified(|end| {
            let is_further = reach > *end;
            *end = reach.max(*end);
            is_further
        });
        while self.tasks.len() < share
            && !self.next.is_empty()
            && self.next.start < reach + window
            && self.lanes.are_many()
            && let Some(lane) = self.lanes.another()
        {
            let end = self.next.start + self.lanes.options.part.max(1);
            let range = self.next.start..end.min(self.next.end);
            self.next.start = range.end;
            let part = self.begin(range, lane);
            self.queue.push_back(part);
        }
    }

    /// The next piece; nothing where the last part that was asked for ends.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, TransportError> {
        loop {
            self.fill();
            let patience = self.patience();
            let Some(front) = self.queue.front_mut() else {
                return Ok(None);
            };
            if front.missing.is_empty() {
                self.queue.pop_front();
                continue;
            }
            match timeout(patience, front.pieces.recv()).await {
                Ok(Some(Ok(bytes))) => {
                    front.missing.start += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Ok(Some(Err(error))) => return Err(error),
                // The connection ended early without a fault, or it is too slow: again.
                Ok(None) | Err(_) => self.hurry(),
            }
        }
    }

    /// How long the reader waits for the next bytes of a part: as long as a whole one takes.
    fn patience(&self) -> Duration {
        let hurries = self.queue.front().map_or(0, |part| part.hurries);
        if hurries >= MAX_HURRIES {
            return Duration::MAX;
        }
        self.typical.max(SHORTEST_PATIENCE) * 2_u32.pow(hurries)
    }

    /// Asks again for what is missing of the part that the reader waits for.
    fn hurry(&mut self) {
        let Some(front) = self.queue.pop_front() else {
            return;
        };
        tracing::debug!("a part of a blob is late, asking for it again");
        front.task.abort();
        // The part's own connection is gone, so this is not one more.
        let lane = self.lanes.first();
        let hurries = front.hurries + 1;
        let part = self.begin(front.missing, lane);
        self.queue.push_front(Part { hurries, ..part });
    }

    fn begin(&mut self, range: Range<u64>, lane: Lane) -> Part {
        let (sender, pieces) = unbounded_channel();
        let stream = Stream::part(&self.supply, lane, range.clone());
        let window = self.window.subscribe();
        let (lanes, durations) = (Arc::clone(&self.lanes), self.durations.0.clone());
        let task = self.tasks.spawn(async move {
            match fetch(stream, window, &lanes, &sender).await {
                // Nobody listens any more if the reader is gone.
                Ok(waited) => drop(durations.send(waited)),
                Err(error) => drop(sender.send(Err(error))),
            }
        });
        Part {
            missing: range,
            pieces,
            task,
            hurries: 0,
        }
    }
}

/// Fetches one part; says how long was waited for it.
async fn fetch(
    mut stream: Stream,
    mut window: watch::Receiver<u64>,
    lanes: &Lanes,
    sender: &UnboundedSender<Delivery>,
) -> Result<Duration, TransportError> {
    stream.connect().await?;
    let mut buffer = lanes.pieces.take();
    loop {
        // The sender lives as long as the reader.
        let _ = window.wait_for(|end| stream.position() < *end).await;
        let piece = stream.piece().await?;
        for mut rest in piece.iter().map(|piece| &piece[..]) {
            while !rest.is_empty() {
                buffer
                    .buffer
                    .reserve_exact(PART_BUFFER - buffer.buffer.len());
                let fits = rest.len().min(PART_BUFFER - buffer.buffer.len());
                let (now, later) = rest.split_at(fits);
                buffer.buffer.extend_from_slice(now);
                rest = later;
                if buffer.buffer.len() == PART_BUFFER {
                    let full = std::mem::replace(&mut buffer, lanes.pieces.take());
                    let _ = sender.send(Ok(full.freeze()));
                }
            }
        }
        if piece.is_none() {
            let _ = sender.send(Ok(buffer.freeze()));
            return Ok(stream.waited());
        }
    }
}
