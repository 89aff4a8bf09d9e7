//! A hermetic place to run the binary in: own home, own folder, nothing inherited.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fmt, fs, thread};

use tempfile::TempDir;

/// The longest that one command of a test may take.
const LIMIT: Duration = Duration::from_secs(120);

/// A temporary folder with `home/` and `work/`, the current folder of every command.
pub(crate) struct Env {
    root: TempDir,
    variables: Vec<(String, String)>,
}

impl Env {
    /// An empty place.
    pub(crate) fn new() -> Self {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join("home")).unwrap();
        fs::create_dir(root.path().join("work")).unwrap();
        Self {
            root,
            variables: Vec::new(),
        }
    }

    /// The same place with one more environment variable for the commands.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// A path below the current folder of the commands.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("work").join(name)
    }

    /// A path below the folder that holds `home/` and `work/`.
    pub(crate) fn root(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file below the current folder, with the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The binary with its arguments, ready to run or to be changed.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_modelctl")), arguments)
    }

    /// The same for another file that is the binary.
    pub(crate) fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.root.path().join("home"))
            .env("PATH", self.root.path().join("bin"))
            .env("TMPDIR", self.root.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path(""))
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Transcript {
        self.run_command(self.command(arguments))
    }

    /// Runs a command that a test has changed.
    pub(crate) fn run_command(&self, mut command: Command) -> Transcript {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        finish(child, self.root.path())
    }
}

/// What a command wrote and how it ended.
pub(crate) struct Transcript {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    root: PathBuf,
}

impl Transcript {
    /// Asserts the whole transcript: `exit CODE`, then stdout, then `--- stderr` and stderr, with
    /// paths, digests, ports and times replaced.
    #[track_caller]
    pub(crate) fn is(&self, expected: &str) -> &Self {
        let actual = self.to_string();
        assert!(
            actual == expected,
            "expected:\n{expected}\nactual:\n{actual}"
        );
        self
    }

    /// Asserts that the command succeeded, and gives the last line of stdout.
    #[track_caller]
    pub(crate) fn ok(&self) -> String {
        assert_eq!(self.code, Some(0), "{self}");
        self.stdout.lines().last().unwrap_or_default().to_owned()
    }

    /// The JSON on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(f, "exit {code}")?,
            None => writeln!(f, "killed")?,
        }
        f.write_str(&filtered(&self.stdout, &self.root))?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", filtered(&self.stderr, &self.root))?;
        }
        Ok(())
    }
}

/// Replaces what differs from run to run.
fn filtered(text: &str, root: &Path) -> String {
    let text = text.replace(root.to_str().unwrap(), "[ROOT]");
    let hex = |c: char| c.is_ascii_hexdigit();
    let text = replaced(&text, "sha256:", hex, 64, "[DIGEST]");
    let text = dates_replaced(&text);
    let text = replaced(
        &text,
        "tries in ",
        |c| c.is_ascii_digit() || c == '.',
        1,
        "[TIME]",
    );
    let text = replaced(&text, "127.0.0.1:", |c| c.is_ascii_digit(), 2, "[PORT]");
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let text = replaced(&text, "ONNX Runtime ", number, 3, "[VERSION]");
    let mut out = String::new();
    for part in text.split_inclusive(" ms") {
        match part.strip_suffix(" ms") {
            Some(before) if before.ends_with(number) => {
                out += before.trim_end_matches(number);
                out += "[TIME] ms";
            }
            _ => out += part,
        }
    }
    out
}

/// Replaces dates of RFC 3339, to the second and in UTC.
fn dates_replaced(text: &str) -> String {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let fits = |window: &[u8]| {
        window.iter().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
    };
    let mut out = text.to_owned();
    while let Some(at) = out.as_bytes().windows(FORM.len()).position(fits) {
        out.replace_range(at..at + FORM.len(), "[DATE]");
    }
    out
}

/// Replaces each run of at least `least` characters that follows a prefix.
pub(crate) fn replaced(
    text: &str,
    prefix: &str,
    run: fn(char) -> bool,
    least: usize,
    by: &str,
) -> String {
    let mut parts = text.split(prefix);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(run);
        out.push_str(prefix);
        if part.len() - rest.len() >= least {
            out.push_str(by);
            out.push_str(rest);
        } else {
            out.push_str(part);
        }
    }
    out
}

fn finish(mut child: Child, root: &Path) -> Transcript {
    let stdout = collected(child.stdout.take().unwrap());
    let stderr = collected(child.stderr.take().unwrap());
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("the command did not end within {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(5));
    };
    Transcript {
        code: status.code(),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
        root: root.to_owned(),
    }
}

fn collected(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
