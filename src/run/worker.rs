//! Running a model where it can do no harm: limits, and a process that may die.
//!
//! A hostile or broken model can make ONNX Runtime allocate without end, loop, or abort (security
//! row A54). The binary therefore runs itself again as a worker: the worker calls
//! [`Limits::confine`] first, the parent waits with [`supervise`] and says what happened.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit};

use super::RunError;

/// How long a finished worker may go unnoticed.
const POLL: Duration = Duration::from_millis(5);

/// What a worker may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Address space in bytes: mapped weights, libraries and threads' stacks count too.
    pub memory: Option<u64>,
    /// Wall-clock time from its start to its end.
    pub time: Option<Duration>,
}

impl Default for Limits {
    /// 16 GiB and 10 minutes: far more than a smoke test takes, far less than a machine has.
    fn default() -> Self {
        Self {
            memory: Some(16 << 30),
            time: Some(Duration::from_secs(600)),
        }
    }
}

impl Limits {
    /// Takes the memory limit upon this process, for good, and lets it die with its parent (where
    /// the system can do that).
    pub fn confine(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // A core dump of a model's memory helps nobody.
        lower(Resource::Core, 0)?;
        match self.memory {
            Some(bytes) => lower(Resource::As, bytes),
            None => Ok(()),
        }
    }
}

/// Lowers a limit; one that is lower already stays.
fn lower(resource: Resource, limit: u64) -> io::Result<()> {
    let present = rustix::process::getrlimit(resource);
    let limit = present.maximum.map_or(limit, |maximum| maximum.min(limit));
    let limits = Rlimit {
        current: Some(present.current.map_or(limit, |current| current.min(limit))),
        maximum: Some(limit),
    };
    Ok(rustix::process::setrlimit(resource, limits)?)
}

/// Runs a worker to its end and gives its exit code. Fails where it is killed: by the time limit,
/// or by a signal, which is how ONNX Runtime's own crashes look.
pub fn supervise(command: &mut Command, limits: &Limits) -> Result<i32, RunError> {
    // ONNX Runtime would take session options from the model with it.
    command.env_remove("ORT_LOAD_CONFIG_FROM_MODEL");
    let failed = |error: io::Error| RunError::Worker(format!("could not be started: {error}"));
    let mut child = command.spawn().map_err(failed)?;
    let ended = wait(&mut child, limits.time);
    match ended.map_err(failed)? {
        Some(status) => code(status, limits),
        None => {
            let seconds = limits.time.unwrap_or_default().as_secs();
            let what = format!("was stopped after {seconds} s, the time limit");
            Err(RunError::Worker(what))
        }
    }
}

/// The status of the child; `None` where it was killed for its time.
fn wait(child: &mut Child, time: Option<Duration>) -> io::Result<Option<ExitStatus>> {
    let Some(time) = time else {
        return child.wait().map(Some);
    };
    let start = Instant::now();
    while start.elapsed() < time {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(POLL);
    }
    child.kill()?;
    child.wait().map(|_| None)
}

fn code(status: ExitStatus, limits: &Limits) -> Result<i32, RunError> {
    if let Some(code) = status.code() {
        return Ok(code);
    }
    let signal = status.signal().unwrap_or_default();
    let name = match signal {
        4 => " (illegal instruction: the library is not for this processor)",
        6 => " (abort)",
        7 => " (bus error: a file of the model changed while it ran)",
        8 => " (arithmetic error)",
        9 => " (killed, as the system does when memory runs out)",
        11 => " (segmentation fault)",
        _ => "",
    };
    let mut what = format!("was killed by signal {signal}{name}");
    if let (6 | 9 | 11, Some(bytes)) = (signal, limits.memory) {
        what += &format!("; its memory limit is {} MiB", bytes >> 20);
    }
    Err(RunError::Worker(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limits: Limits) -> Result<i32, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        supervise(&mut command, &limits).map_err(|error| error.to_string())
    }

    /// Security row A54: what ONNX Runtime does to its process is an error like any other.
    #[test]
    fn a_worker_that_dies_is_reported() {
        let limits = Limits {
            memory: Some(1 << 30),
            time: Some(Duration::from_secs(60)),
        };
        assert_eq!(shell("exit 5", limits), Ok(5));
        assert_eq!(
            shell("kill -ABRT $$", limits).unwrap_err(),
            "ONNX Runtime was killed by signal 6 (abort); its memory limit is 1024 MiB"
        );
        assert_eq!(
            shell("kill -BUS $$", limits).unwrap_err(),
            "ONNX Runtime was killed by signal 7 (bus error: a file of the model changed while it ran)"
        );
        let missing = supervise(&mut Command::new("/nowhere/modelctl"), &limits);
        assert_eq!(
            missing.unwrap_err().to_string(),
            "ONNX Runtime could not be started: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn a_worker_that_takes_too_long_is_stopped() {
        let limits = Limits {
            memory: None,
            time: Some(Duration::from_secs(1)),
        };
        let start = Instant::now();
        assert_eq!(
            shell("exec sleep 60", limits).unwrap_err(),
            "ONNX Runtime was stopped after 1 s, the time limit"
        );
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
