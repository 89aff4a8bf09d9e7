//! The access log: a line on stderr for each request.
//!
//! A thread of its own writes, so that a reader of stderr who is stuck never holds up the registry:
//! lines that nobody takes are counted instead.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use humantime::format_rfc3339_millis;
use modelctl::registry::{AccessLog, Record};
use serde_json::json;

/// Lines that may wait to be written.
const WAITING: usize = 4096;
/// How long the end of the registry waits for the last of them.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How requests are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Fields in a fixed order
    Text,
    /// An object
    Json,
    /// Not at all
    None,
}

/// The thread that writes.
pub(super) struct Writer {
    thread: JoinHandle<()>,
}

impl Writer {
    /// Waits until the lines that were handed in are written, for a short while at most. Whoever
    /// hands them in is gone by then.
    pub(super) fn finish(self) {
        let begin = Instant::now();
        while !self.thread.is_finished() && begin.elapsed() < LAST_LINES {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A log in a format, and who writes it; none where nothing is to be told.
pub(super) fn start(format: LogFormat) -> io::Result<Option<(AccessLog, Writer)>> {
    let line: fn(&Record) -> String = match format {
        LogFormat::Text => text,
        LogFormat::Json => json,
        LogFormat::None => return Ok(None),
    };
    let (lines, queue) = sync_channel(WAITING);
    let missed = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&missed);
    let thread = std::thread::Builder::new()
        .name("access log".to_owned())
        .spawn(move || write(&queue, &missed))?;
    let log = AccessLog::new(move |record| hand_in(&lines, line(record), &counted));
    Ok(Some((log, Writer { thread })))
}

fn hand_in(lines: &SyncSender<String>, line: String, missed: &AtomicU64) {
    if lines.try_send(line).is_err() {
        missed.fetch_add(1, Ordering::Relaxed);
    }
}

fn write(lines: &Receiver<String>, missed: &AtomicU64) {
    for mut line in lines {
        line.push('\n');
        let count = missed.swap(0, Ordering::Relaxed);
        if count > 0 {
            line += &format!("{count} requests are not in this log: nobody read it\n");
        }
        // Where nobody reads stderr any more there is nobody to tell.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

/// Time, client, user, method, path, status, bytes received, bytes sent, seconds.
fn text(record: &Record) -> String {
    let user = record.user.as_deref().unwrap_or("-");
    format!(
        "{} {} {} {} {} {} {} {} {:.3}",
        format_rfc3339_millis(record.time),
        record.client,
        user.escape_default(),
        record.method,
        record.path,
        record.status,
        record.received,
        record.sent,
        record.duration.as_secs_f64()
    )
}

fn json(record: &Record) -> String {
    json!({
        "time": format_rfc3339_millis(record.time).to_string(),
        "client": record.client.to_string(),
        "user": record.user,
        "method": record.method,
        "path": record.path,
        "status": record.status,
        "received": record.received,
        "sent": record.sent,
        "seconds": record.duration.as_secs_f64(),
    })
    .to_string()
}
