//! Progress for people at a terminal: a bar for the whole, and one for each blob in flight.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use modelctl::oci::{Descriptor, Digest};
use modelctl::store::Progress;

use super::screen;
use super::tally::Tally;
use crate::output::escape;

/// The whole: rate and remaining time are what people look for.
const WHOLE: &str =
    "{bar:32} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
/// A blob.
const BLOB: &str = "  {bar:14} {decimal_bytes}/{decimal_total_bytes}  {msg}";
/// How many blobs have a bar at a time: more would not fit into a small window.
const MAX_BLOBS: usize = 8;
/// How many characters of a path are shown, the last ones.
const MAX_NAME: usize = 40;
/// How often the rate is drawn again while nothing moves.
const TICK: Duration = Duration::from_millis(500);

/// Bars, gone when they are dropped.
pub(super) struct Bars {
    whole: ProgressBar,
    state: Mutex<State>,
}

struct State {
    tally: Tally,
    blobs: HashMap<Digest, ProgressBar>,
}

impl Bars {
    pub(super) fn new(total: u64) -> Self {
        let whole = screen::add(bar(total, WHOLE));
        whole.enable_steady_tick(TICK);
        Self {
            whole,
            state: Mutex::new(State {
                tally: Tally::new(total),
                blobs: HashMap::new(),
            }),
        }
    }

    fn set(&self, blob: &Descriptor, position: u64, is_over: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tally.set(blob, position);
        self.whole.set_length(state.tally.total());
        self.whole.set_position(state.tally.moved());
        if is_over {
            if let Some(bar) = state.blobs.remove(&blob.digest) {
                screen::remove(&bar);
            }
            return;
        }
        if let Some(bar) = state.blobs.get(&blob.digest) {
            bar.set_position(position);
        } else if state.blobs.len() < MAX_BLOBS {
            let bar = screen::add(bar(blob.size, BLOB).with_message(name(blob)));
            bar.set_position(position);
            // What is not drawn because much was just now is drawn then.
            bar.enable_steady_tick(TICK);
            state.blobs.insert(blob.digest, bar);
        }
    }
}

/// A bar that is not drawn yet.
pub(super) fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::hidden();
    bar.set_length(length);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What people know a blob by. Its title may come from anybody.
fn name(blob: &Descriptor) -> String {
    let Some(title) = blob.title() else {
        return blob.digest.short();
    };
    let title = escape(title).replace('\n', " ");
    match title.char_indices().rev().nth(MAX_NAME) {
        Some((cut, _)) => {
            let end: String = title[cut..].chars().skip(1).collect();
            format!("…{end}")
        }
        None => title,
    }
}

impl Progress for Bars {
    fn started(&self, blob: &Descriptor) {
        self.set(blob, 0, false);
    }

    fn advanced(&self, blob: &Descriptor, position: u64) {
        self.set(blob, position, false);
    }

    fn finished(&self, blob: &Descriptor) {
        self.set(blob, blob.size, true);
    }

    fn skipped(&self, blob: &Descriptor) {
        self.set(blob, blob.size, true);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .blobs
            .drain()
            .for_each(|(_, bar)| screen::remove(&bar));
        screen::remove(&self.whole);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelctl::oci::annotation;

    #[test]
    fn title_is_shown_shortened_and_harmless() {
        let mut blob = Descriptor::new("", Digest::sha256(b""), 1);
        assert_eq!(name(&blob), blob.digest.short());
        let mut titled = |title: &str| {
            let title = title.to_owned();
            blob.annotations.insert(annotation::TITLE.to_owned(), title);
            name(&blob)
        };
        assert_eq!(titled("a/b"), "a/b");
        assert_eq!(titled("a\x1b[2J\nb"), "a\\u{1b}[2J b");
        let long = format!("x{}", "é".repeat(MAX_NAME));
        assert_eq!(titled(&long), format!("…{}", "é".repeat(MAX_NAME)));
    }
}
