//! SIGINT and SIGTERM end a command within a second, whatever it is doing.
//!
//! Its work is dropped: connections close, temporary files go, what can be resumed stays. Work that
//! cannot be dropped soon, since a disk or a pipe does not answer, is left behind: a thread of its
//! own ends the process then. The terminal is as it was in either case.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::failure::Failure;
use crate::progress;

/// How long a command has to end by itself.
const PATIENCE: Duration = Duration::from_millis(900);

/// Whether the end of the command was shown: only one thread may.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// The signals that end a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT, from Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// Tells of a signal.
pub(crate) struct Listener(watch::Receiver<Option<Signal>>);

/// Fails where the process may not open what a runtime needs for signals: Tokio makes a pair of sockets
/// for itself, after two descriptors of its own, and panics if it cannot.
pub(crate) fn probe() -> io::Result<()> {
    let _others = UnixStream::pair()?;
    UnixStream::pair().map(drop)
}

/// From now on a file that would become longer than the process may write (`ulimit -f`) is an error
/// of the write, as a full disk is: the signal that comes with it would end the process without a
/// word, and leave what it was writing.
pub(crate) fn outlive_file_limit(runtime: &Runtime) -> io::Result<()> {
    let _inside = runtime.enter();
    // Tokio never gives a signal its default action back.
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

/// Listens from now on. If a signal comes and the process still lives a while later, `last_words`
/// are said and it ends with the code that they give.
pub(crate) fn listen(
    runtime: &Runtime,
    last_words: impl FnOnce(Signal) -> u8 + Send + 'static,
) -> io::Result<Listener> {
    let (tell, told) = watch::channel(None);
    let _inside = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let terminal = Terminal::save();
    runtime.spawn(async move {
        let signal = tokio::select! {
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
        };
        thread::spawn(move || end(signal, terminal, last_words));
        // Nobody listens once the command is done.
        let _ = tell.send(Some(signal));
    });
    Ok(Listener(told))
}

/// Ends the process, unless it ends first.
fn end(signal: Signal, terminal: Option<Terminal>, last_words: impl FnOnce(Signal) -> u8) {
    if let Some(terminal) = terminal {
        terminal.restore();
    }
    thread::sleep(PATIENCE);
    // A terminal that does not take what is written must not hold the exit.
    thread::spawn(|| {
        thread::sleep(PATIENCE / 10);
        std::process::exit(i32::from(crate::exit::FAILED));
    });
    progress::clear();
    std::process::exit(i32::from(last_words(signal)));
}

/// Whether the caller is the first to show how the command ended, and so has to.
pub(crate) fn may_show() -> bool {
    !SHOWN.swap(true, Ordering::SeqCst)
}

impl Listener {
    /// Completes the work, unless a signal comes first.
    pub(crate) async fn until<T>(
        mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            result = work => result,
            signal = self.signal() => Err(Failure::Interrupted(signal)),
        }
    }

    async fn signal(&mut self) -> Signal {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(signal)) => *signal,
            // The listener is gone only when the runtime is.
            _ => std::future::pending().await,
        }
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

/// The terminal as it was: who asks for a password turns its echo off.
struct Terminal {
    device: File,
    state: Termios,
}

impl Terminal {
    fn save() -> Option<Self> {
        let device = File::open("/dev/tty").ok()?;
        let state = tcgetattr(&device).ok()?;
        Some(Self { device, state })
    }

    fn restore(&self) {
        // One that was left as it was is not touched: a process in the background may not.
        let is_changed =
            tcgetattr(&self.device).is_ok_and(|state| state.local_modes != self.state.local_modes);
        if !is_changed {
            return;
        }
        // One that is gone needs nothing.
        let _ = tcsetattr(&self.device, OptionalActions::Now, &self.state);
    }
}
