//! Questions at the terminal.

use std::io::{self, IsTerminal as _};

use crate::blocking::blocking;
use crate::failure::Failure;
use crate::output::Output;
use crate::signal::Signal;

/// Asks for a line, if there is a terminal.
pub(crate) async fn ask(output: &mut Output, question: &str) -> Result<Option<String>, Failure> {
    answer(output, question, read_line).await
}

/// Asks for something that must not be seen, if there is a terminal.
pub(crate) async fn ask_secret(
    output: &mut Output,
    question: &str,
) -> Result<Option<String>, Failure> {
    answer(output, question, rpassword::read_password).await
}

async fn answer(
    output: &mut Output,
    question: &str,
    read: fn() -> io::Result<String>,
) -> Result<Option<String>, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    output.prompt(question)?;
    match blocking(read).await {
        // Where the echo is off, Ctrl-C is read as a character and becomes a signal only then.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            Err(Failure::Interrupted(Signal::Interrupt))
        }
        answer => Ok(answer.ok()),
    }
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
