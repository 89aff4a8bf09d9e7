//! SIGINT and SIGTERM end a command: its work is dropped, which removes its temporary files but for
//! those that the next run goes on with.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// The signals that end a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT, from Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// Completes the work, unless a signal comes first.
pub(crate) async fn until_signal<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = work => result,
        signal = received() => Err(Failure::Interrupted(signal.map_err(Failure::Output)?)),
    }
}

/// Waits for a signal.
pub(crate) async fn received() -> io::Result<Signal> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => Signal::Interrupt,
        _ = terminate.recv() => Signal::Terminate,
    })
}
