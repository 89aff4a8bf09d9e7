//! Mistakes on the command line, as clap finds them; help and version, which clap calls errors too.

use std::ffi::OsStr;

use clap::error::ErrorKind;

use crate::exit;

/// Shows it and gives the exit code.
pub(crate) fn show(error: &clap::Error) -> u8 {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    // Where the reader is gone there is nobody to tell.
    let _ = match asked || !asks_for_json() {
        true => error.print(),
        false => print_object(error),
    };
    if asked { exit::OK } else { exit::USAGE }
}

/// The command line cannot be parsed, so it is searched.
fn asks_for_json() -> bool {
    let options = std::env::args_os().take_while(|argument| argument != OsStr::new("--"));
    options
        .skip(1)
        .any(|argument| argument == OsStr::new("--json"))
}

/// The message without the usage lines that follow it, as in [`crate::failure`].
fn print_object(error: &clap::Error) -> std::io::Result<()> {
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first);
    let object = serde_json::json!({ "error": message, "code": "usage", "exitCode": exit::USAGE });
    use std::io::Write as _;
    writeln!(std::io::stderr(), "{object}")
}
