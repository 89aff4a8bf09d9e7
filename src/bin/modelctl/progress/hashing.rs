//! Shows how much was hashed, while a plan is made.

use std::io::Write as _;
use std::pin::pin;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use modelctl::plan::Hashed;
use tokio::time::{Instant as Clock, interval_at};

use super::tally::Pace;
use super::{bars, events, lines, screen};
use crate::output::Style;

/// How often it is looked at. What is done sooner is not shown.
const TICK: Duration = Duration::from_millis(200);
/// What the bar looks like.
const TEMPLATE: &str =
    "hashing {bar:24} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";

/// Waits for work that hashes `total` bytes or a little more, and shows how far it is.
pub(crate) async fn show_hashing<T>(
    hashed: Hashed,
    total: u64,
    style: Style,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    let mut view = View::new(total, style);
    let mut ticks = interval_at(Clock::now() + TICK, TICK);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => view.show(hashed.bytes().min(total), total),
        }
    }
}

/// How it is shown.
enum View {
    Nothing,
    Bar(ProgressBar),
    Lines(Pace),
    Events(Pace),
}

impl View {
    fn new(total: u64, style: Style) -> Self {
        match style {
            Style { quiet: true, .. } => Self::Nothing,
            Style { json: true, .. } => Self::Events(events::pace()),
            Style { progress: true, .. } => Self::Bar(bars::bar(total, TEMPLATE)),
            _ => Self::Lines(lines::pace()),
        }
    }

    fn show(&mut self, hashed: u64, total: u64) {
        match self {
            Self::Nothing => {}
            Self::Bar(bar) => {
                if bar.is_hidden() {
                    *bar = screen::add(bar.clone());
                }
                bar.set_position(hashed);
            }
            Self::Lines(pace) => {
                if let Some(rate) = pace.report(hashed, Instant::now()) {
                    let line = lines::line("hashed ", (hashed, total), rate);
                    let _ = screen::Stderr.write_all(line.as_bytes());
                }
            }
            Self::Events(pace) => {
                if let Some(rate) = pace.report(hashed, Instant::now()) {
                    events::hashing(hashed, total, rate);
                }
            }
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            screen::remove(bar);
        }
    }
}
