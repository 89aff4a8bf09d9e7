//! Stderr, shared by bars and by everything else that is written there: whoever writes a line has
//! the bars out of the way.

use std::io::{self, Write};
use std::sync::LazyLock;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

static SCREEN: LazyLock<MultiProgress> =
    LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));

/// Draws a bar below the others.
pub(super) fn add(bar: ProgressBar) -> ProgressBar {
    SCREEN.add(bar)
}

/// Takes a bar away.
pub(super) fn remove(bar: &ProgressBar) {
    bar.finish_and_clear();
    SCREEN.remove(bar);
}

/// Wipes all bars away. That they cannot be is nothing that anybody could do something about.
pub(crate) fn clear() {
    let _ = SCREEN.clear();
}

/// Writes to stderr, above the bars if there are any.
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SCREEN.suspend(|| io::stderr().write(bytes))
    }

    /// In one piece, so that no bar is drawn into the middle of a line.
    fn write_fmt(&mut self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.write_all(text.to_string().as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
