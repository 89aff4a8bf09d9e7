//! Content that a test stops, breaks and watches.

use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use modelctl::store::BlobSource;

/// Content that remembers at which offsets it was opened, and how much was read.
#[derive(Default)]
pub(super) struct Source {
    bytes: Vec<u8>,
    /// Where reading fails, and with what.
    breaks: Option<(usize, fn() -> io::Error)>,
    /// Where reading waits until it is let go.
    gate: Option<(usize, &'static AtomicBool)>,
    opened: Mutex<Vec<u64>>,
}

impl Source {
    /// Content that is read without trouble.
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            ..Self::default()
        }
    }

    /// Content whose readers fail.
    pub(super) fn breaking(bytes: &[u8], at: usize, error: fn() -> io::Error) -> Self {
        Self {
            breaks: Some((at, error)),
            ..Self::new(bytes)
        }
    }

    /// Content whose readers wait.
    pub(super) fn gated(bytes: &[u8], at: usize, gate: &'static AtomicBool) -> Self {
        Self {
            gate: Some((at, gate)),
            ..Self::new(bytes)
        }
    }

    /// The offsets, in order.
    pub(super) fn opened(&self) -> Vec<u64> {
        self.opened.lock().unwrap().clone()
    }
}

struct Reader {
    bytes: Vec<u8>,
    at: usize,
    breaks: Option<(usize, fn() -> io::Error)>,
    gate: Option<(usize, &'static AtomicBool)>,
}

impl BlobSource for Source {
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        self.opened.lock().unwrap().push(offset);
        Ok(Box::new(Reader {
            bytes: self.bytes.clone(),
            at: offset as usize,
            breaks: self.breaks,
            gate: self.gate,
        }))
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut end = self.bytes.len();
        if let Some((at, error)) = self.breaks {
            end = end.min(at);
            if self.at >= at {
                return Err(error());
            }
        }
        if let Some((at, gate)) = self.gate {
            while self.at >= at && !gate.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            if self.at < at {
                end = end.min(at);
            }
        }
        let count = buffer.len().min(end.max(self.at) - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..][..count]);
        self.at += count;
        Ok(count)
    }
}
