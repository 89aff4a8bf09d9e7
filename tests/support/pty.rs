//! A terminal for a command: what it writes there, and what is typed.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// A pseudo-terminal of 24 lines of 100 characters.
pub(crate) struct Pty {
    near: File,
    /// The side of the command; it is kept so that its state can be asked for.
    far: File,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Pty {
    pub(crate) fn new() -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let name = ptsname(&near, Vec::new()).unwrap();
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let flags = flags | rustix::fs::OFlags::CLOEXEC;
        let far = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&near, size).unwrap();
        let near = File::from(near);
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let (mut reader, all) = (near.try_clone().unwrap(), shown.clone());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                all.lock().unwrap().extend(&buffer[..count]);
            }
        });
        Self {
            near,
            far: far.into(),
            shown,
        }
    }

    /// The terminal as a stream of a command.
    pub(crate) fn stream(&self) -> Stdio {
        self.far.try_clone().unwrap().into()
    }

    /// Everything that was written so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until a text was written.
    #[track_caller]
    pub(crate) fn expect(&self, text: &str) {
        self.expect_that(text, |shown| shown.contains(text));
    }

    /// Waits until what was written is as it should be: the last of it may still be on its way when
    /// a command has ended.
    #[track_caller]
    pub(crate) fn expect_that(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_so(&self.text()) {
            assert!(
                Instant::now() < deadline,
                "not {what:?} in {:?}",
                self.text()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Types something.
    pub(crate) fn type_keys(&self, keys: &[u8]) {
        (&self.near).write_all(keys).unwrap();
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        let state = tcgetattr(&self.far).unwrap();
        state.local_modes.contains(LocalModes::ECHO)
    }
}
