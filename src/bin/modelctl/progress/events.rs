//! Progress for programs: one JSON object a line on stderr. The shape is documented in
//! `docs/events.md`.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use modelctl::oci::{Descriptor, Digest};
use modelctl::store::Progress;
use serde::Serialize;

use super::screen::Stderr;
use super::tally::{Pace, Tally};

/// How often the whole is reported.
const EVERY: Duration = Duration::from_secs(1);

/// A line on stderr.
#[derive(Serialize)]
#[serde(
    tag = "event",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
enum Event<'a> {
    /// A blob begins to move, or begins again.
    Started {
        digest: &'a Digest,
        size: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<&'a str>,
    },
    /// How far all blobs are together.
    Progress {
        moved: u64,
        total: u64,
        bytes_per_second: u64,
    },
    /// How much of the files was hashed.
    Hashing {
        hashed: u64,
        total: u64,
        bytes_per_second: u64,
    },
    /// A blob has arrived.
    Finished { digest: &'a Digest },
    /// A blob need not move.
    Skipped { digest: &'a Digest },
    /// What a person would be warned of.
    Warning { text: &'a str },
    /// A line of the log.
    Log { text: &'a str },
}

fn write(event: &Event<'_>) {
    let mut line = serde_json::to_string(event).expect("an event is JSON");
    line.push('\n');
    // Events that nobody can read are no reason to stop.
    let _ = Stderr.write_all(line.as_bytes());
}

/// Writes a warning as an event.
pub(crate) fn warning(text: &str) {
    write(&Event::Warning { text });
}

/// Writes a line of the log as an event.
pub(crate) fn log(text: &str) {
    write(&Event::Log { text });
}

/// Writes how much was hashed.
pub(super) fn hashing(hashed: u64, total: u64, bytes_per_second: u64) {
    write(&Event::Hashing {
        hashed,
        total,
        bytes_per_second,
    });
}

/// Says when it is time to report the whole.
pub(super) fn pace() -> Pace {
    Pace::new(EVERY, Instant::now())
}

/// Writes events to stderr.
pub(super) struct Events(Mutex<State>);

struct State {
    tally: Tally,
    pace: Pace,
    over: HashSet<Digest>,
}

impl Events {
    pub(super) fn new(total: u64) -> Self {
        Self(Mutex::new(State {
            tally: Tally::new(total),
            pace: pace(),
            over: HashSet::new(),
        }))
    }

    fn set(&self, blob: &Descriptor, position: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.tally.set(blob, position);
        let (moved, total) = (state.tally.moved(), state.tally.total());
        if let Some(bytes_per_second) = state.pace.report(moved, Instant::now()) {
            write(&Event::Progress {
                moved,
                total,
                bytes_per_second,
            });
        }
    }

    /// Whether it is news that the blob is there.
    fn is_over(&self, blob: &Descriptor) -> bool {
        self.set(blob, blob.size);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.over.insert(blob.digest)
    }
}

impl Progress for Events {
    fn started(&self, blob: &Descriptor) {
        write(&Event::Started {
            digest: &blob.digest,
            size: blob.size,
            path: blob.title(),
        });
        self.set(blob, 0);
    }

    fn advanced(&self, blob: &Descriptor, position: u64) {
        self.set(blob, position);
    }

    fn finished(&self, blob: &Descriptor) {
        if self.is_over(blob) {
            let digest = &blob.digest;
            write(&Event::Finished { digest });
        }
    }

    fn skipped(&self, blob: &Descriptor) {
        if self.is_over(blob) {
            let digest = &blob.digest;
            write(&Event::Skipped { digest });
        }
    }
}
