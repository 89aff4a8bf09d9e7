//! A link to a registry that counts what comes through it, and can be slow or fall silent.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How much is passed on at a time, in bytes.
const PIECE: usize = 16 * 1024;

/// A proxy that is gone when it is dropped.
pub(crate) struct Link {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// How many bytes went to the client.
    came: AtomicU64,
    /// After so many bytes to the client there come no more.
    limit: u64,
    /// The pause after each piece to the client.
    pause: Duration,
    is_over: AtomicBool,
}

impl Link {
    /// A link that lets everything through, as fast as it comes.
    pub(crate) fn to(registry: SocketAddr) -> Self {
        Self::with(registry, u64::MAX, Duration::ZERO)
    }

    /// A link that falls silent after so many bytes, and waits after each 16 KiB.
    pub(crate) fn with(registry: SocketAddr, limit: u64, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            came: AtomicU64::new(0),
            limit,
            pause,
            is_over: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.is_over() {
                    return;
                }
                let (client, shared) = (client.unwrap(), accepting.clone());
                thread::spawn(move || shared.connect(&client, registry));
            }
        });
        Self { address, shared }
    }

    /// How many bytes went to clients.
    pub(crate) fn came(&self) -> u64 {
        self.shared.came.load(Ordering::SeqCst)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // The listener wakes up, and is gone.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Passes on both directions until one side has had enough.
    fn connect(self: Arc<Self>, client: &TcpStream, registry: SocketAddr) {
        let server = TcpStream::connect(registry).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let up = thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        let _ = self.pass_down(&server, client);
        let _ = client.shutdown(Shutdown::Both);
        up.join().unwrap();
    }

    fn pass_down(&self, mut server: &TcpStream, mut client: &TcpStream) -> std::io::Result<()> {
        let mut piece = [0; PIECE];
        loop {
            let count = server.read(&mut piece)?;
            if count == 0 {
                return Ok(());
            }
            // Silent, until it is over.
            while self.came.load(Ordering::SeqCst) >= self.limit {
                if self.is_over() {
                    return Ok(());
                }
                thread::sleep(Duration::from_millis(5));
            }
            client.write_all(&piece[..count])?;
            self.came.fetch_add(count as u64, Ordering::SeqCst);
            thread::sleep(self.pause);
        }
    }
}
