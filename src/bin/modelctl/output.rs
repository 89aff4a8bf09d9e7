//! The only writer: data on stdout, everything else on stderr.
//!
//! Text from registries and model files passes through here on its way to a terminal, so control
//! characters are written as escapes: a hostile annotation cannot move the cursor or hide a line.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use crate::progress::warning_event;

/// Where a command writes, and in which style.
pub(crate) struct Output {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    style: Style,
}

/// How output looks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    /// Reports and errors are JSON.
    pub(crate) json: bool,
    /// Notes are left out.
    pub(crate) quiet: bool,
    /// Labels on stderr are coloured: it is a terminal and `NO_COLOR` is not set.
    pub(crate) coloured: bool,
    /// Progress bars are drawn: stderr is a terminal.
    pub(crate) progress: bool,
}

/// The colours of labels on stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Label {
    /// `error:`, red.
    Error,
    /// `warning:`, yellow.
    Warning,
    /// `hint:`, cyan.
    Hint,
}

impl Output {
    /// An output over two writers.
    pub(crate) fn new(
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        style: Style,
    ) -> Self {
        Self {
            stdout: Box::new(Unheard(stdout)),
            stderr: Box::new(Unheard(stderr)),
            style,
        }
    }

    /// How output looks.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Writes the result of a command to stdout: its text, or with `--json` its JSON.
    pub(crate) fn report<R: Serialize + Display>(&mut self, report: &R) -> io::Result<()> {
        let text = if self.style.json {
            serde_json::to_string_pretty(report)?
        } else {
            escape(&report.to_string())
        };
        self.stdout.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            self.stdout.write_all(b"\n")?;
        }
        self.stdout.flush()
    }

    /// Writes bytes to stdout as they are: a completion script, a manual page, a raw manifest.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stdout.write_all(bytes)?;
        self.stdout.flush()
    }

    /// Says what was done, on stderr; nothing with `--quiet` or `--json`.
    pub(crate) fn note(&mut self, text: impl Display) -> io::Result<()> {
        if self.style.quiet || self.style.json {
            return Ok(());
        }
        writeln!(self.stderr, "{}", escape(&text.to_string()))
    }

    /// Warns on stderr, with `--quiet` too.
    pub(crate) fn warn(&mut self, text: impl Display) -> io::Result<()> {
        if self.style.json {
            warning_event(&text.to_string());
            return Ok(());
        }
        self.labelled(Label::Warning, &text.to_string())
    }

    /// Writes a line with a label to stderr.
    pub(crate) fn labelled(&mut self, label: Label, text: &str) -> io::Result<()> {
        let (word, colour) = match label {
            Label::Error => ("error:", "31"),
            Label::Warning => ("warning:", "33"),
            Label::Hint => ("hint:", "36"),
        };
        let text = escape(text);
        if self.style.coloured {
            writeln!(self.stderr, "\x1b[1;{colour}m{word}\x1b[0m {text}")
        } else {
            writeln!(self.stderr, "{word} {text}")
        }
    }

    /// Asks for something on stderr, whatever was asked for otherwise.
    pub(crate) fn prompt(&mut self, text: &str) -> io::Result<()> {
        self.stderr.write_all(text.as_bytes())?;
        self.stderr.flush()
    }

    /// Writes a line to stderr whatever was asked.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.stderr, "{}", escape(text))
    }
}

/// A stream whose reader may go away, as that of `modelctl verify … | head -1` does. What is written
/// after that is lost, and the command goes on: how it ends is not for the reader to decide, and an
/// artifact that is refused is refused with its exit code, whoever listens.
struct Unheard(Box<dyn Write + Send>);

impl Write for Unheard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    /// In one piece, if the stream does it so.
    fn write_fmt(&mut self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        match self.0.write_fmt(text) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// Replaces control characters, and the characters that reorder text, but keeps line ends.
pub(crate) fn escape(text: &str) -> String {
    let harmless = |c: char| c == '\n' || !(c.is_control() || reorders(c));
    if text.chars().all(harmless) {
        return text.to_owned();
    }
    text.chars().fold(String::new(), |mut out, c| {
        match harmless(c) {
            true => out.push(c),
            false => out.extend(c.escape_unicode()),
        }
        out
    })
}

/// The same for text that has to stay in its line.
pub(crate) fn escape_line(text: &str) -> String {
    escape(text).replace('\n', "\\u{a}")
}

/// Whether a character changes the direction of text ("Trojan Source", CVE-2021-42574).
fn reorders(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(escape("a\nü"), "a\nü");
        assert_eq!(escape("\x1b[2Jx\r"), "\\u{1b}[2Jx\\u{d}");
        assert_eq!(escape("\u{202e}x"), "\\u{202e}x");
        assert_eq!(escape("\u{9b}x"), "\\u{9b}x");
    }
}
