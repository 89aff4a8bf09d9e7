//! A relay before a registry that counts what passes, so that it is not us who count.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A running relay; its connections end with it.
pub(crate) struct Relay {
    /// `127.0.0.1:port`.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    to_server: AtomicU64,
    is_over: AtomicBool,
    /// Bytes to the server after which a connection is cut; 0 for never.
    cut_after: u64,
    /// The least time for each 64 KiB to the server.
    pace: Duration,
}

impl Relay {
    /// Relays to an address. `pace` slows the way to the server down: the time for each 64 KiB.
    pub(crate) fn to(server: &str, pace: Duration) -> Self {
        Self::with(server, pace, 0)
    }

    /// The same, and each connection is cut after so many bytes to the server.
    pub(crate) fn cutting(server: &str, cut_after: u64) -> Self {
        Self::with(server, Duration::ZERO, cut_after)
    }

    fn with(server: &str, pace: Duration, cut_after: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            cut_after,
            pace,
            ..Shared::default()
        });
        let (accepting, server) = (shared.clone(), server.to_owned());
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (client, shared) = (client.unwrap(), accepting.clone());
                let Ok(server) = TcpStream::connect(&server) else {
                    continue;
                };
                connect(client, server, shared);
            }
        });
        Self { address, shared }
    }

    /// How many bytes went to the server.
    pub(crate) fn to_server(&self) -> u64 {
        self.shared.to_server.load(Ordering::SeqCst)
    }

    /// Waits until so many bytes went to the server.
    #[track_caller]
    pub(crate) fn wait_for(&self, to_server: u64) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.to_server() < to_server {
            assert!(Instant::now() < deadline, "only {} bytes", self.to_server());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn connect(client: TcpStream, server: TcpStream, shared: Arc<Shared>) {
    let up = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let of_up = shared.clone();
    thread::spawn(move || {
        // Either side may break; the other then sees it too.
        let _ = carry(
            &up.0,
            &up.1,
            Some(&of_up.to_server),
            (of_up.pace, of_up.cut_after),
        );
        let _ = up.1.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let _ = carry(&server, &client, None, (Duration::ZERO, 0));
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    });
}

fn carry(
    mut from: &TcpStream,
    mut to: &TcpStream,
    count: Option<&AtomicU64>,
    (pace, cut_after): (Duration, u64),
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut carried = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read])?;
        if let Some(count) = count {
            count.fetch_add(read as u64, Ordering::SeqCst);
        }
        carried += read as u64;
        if cut_after > 0 && carried >= cut_after {
            from.shutdown(Shutdown::Both)?;
            return to.shutdown(Shutdown::Both);
        }
        thread::sleep(pace);
    }
}
