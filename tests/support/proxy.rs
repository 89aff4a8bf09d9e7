//! A TCP proxy that counts the bytes which it passes on, and how often each blob is asked for; and
//! can be slow, fall silent, or cut connections.
//!
//! client ⇄ proxy ⇄ registry. The kernel holds little for a client: a byte that was counted has
//! arrived, or is in the receive buffer of a process that was killed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;

/// What the kernel keeps for a client that does not read, in bytes.
const SEND_BUFFER: u32 = 64 * 1024;

/// Stops when it is dropped.
pub(crate) struct Proxy {
    /// `127.0.0.1:port`.
    pub(crate) address: String,
    counts: Arc<Counts>,
    _runtime: Runtime,
}

#[derive(Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
    asked: Mutex<BTreeMap<String, usize>>,
}

/// How bytes go in one direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// How many are passed on at once.
    pub(crate) piece: usize,
    /// The pause after each piece.
    pub(crate) pause: Duration,
    /// After so many, of all connections together, there come no more.
    pub(crate) silent_after: u64,
    /// After so many a connection is cut, both ways.
    pub(crate) cut_after: u64,
}

impl Default for Way {
    /// As fast as they come.
    fn default() -> Self {
        Self {
            piece: 64 * 1024,
            pause: Duration::ZERO,
            silent_after: u64::MAX,
            cut_after: u64::MAX,
        }
    }
}

/// The connection has carried what it may.
struct Cut;

/// Bytes that have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// From the client to the registry.
    pub(crate) up: u64,
    /// From the registry to the client.
    pub(crate) down: u64,
}

impl Proxy {
    /// Stands before a registry, and lets everything through.
    pub(crate) fn before(registry: &str) -> Self {
        Self::with(registry, Way::default(), Way::default())
    }

    /// The same, but for the ways to the registry and to the client.
    pub(crate) fn with(registry: &str, up: Way, down: Way) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let counts = Arc::<Counts>::default();
        let listener = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            // Connections inherit it.
            socket.set_send_buffer_size(SEND_BUFFER).unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            socket.listen(256).unwrap()
        });
        let address = listener.local_addr().unwrap().to_string();
        let registry = registry.to_owned();
        runtime.spawn(accept(listener, registry, (up, down), counts.clone()));
        Self {
            address,
            counts,
            _runtime: runtime,
        }
    }

    /// What has passed since the proxy stands.
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic {
            up: self.counts.up.load(Ordering::SeqCst),
            down: self.counts.down.load(Ordering::SeqCst),
        }
    }

    /// Waits until so many bytes went to the registry.
    #[track_caller]
    pub(crate) fn wait_for_upload(&self, bytes: u64) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.traffic().up < bytes {
            assert!(Instant::now() < deadline, "only {:?}", self.traffic());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How often each blob was asked for, by its digest.
    pub(crate) fn asked(&self) -> BTreeMap<String, usize> {
        self.counts.asked.lock().unwrap().clone()
    }
}

impl std::ops::Sub for Traffic {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            up: self.up - earlier.up,
            down: self.down - earlier.down,
        }
    }
}

async fn accept(
    listener: TcpListener,
    registry: String,
    (up, down): (Way, Way),
    counts: Arc<Counts>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (registry, counts) = (registry.clone(), counts.clone());
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(registry).await else {
                return;
            };
            for stream in [&client, &server] {
                let _ = stream.set_nodelay(true);
            }
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let mut requests = Requests::default();
            let asked = |bytes: &[u8]| {
                for digest in requests.blobs_in(bytes) {
                    *counts.asked.lock().unwrap().entry(digest).or_default() += 1;
                }
            };
            let up = up.pass(&mut from_client, &mut to_server, &counts.up, asked);
            let down = down.pass(&mut from_server, &mut to_client, &counts.down, |_| {});
            // Either of them ends early only to cut the connection.
            let _ = tokio::try_join!(up, down);
        });
    }
}

impl Way {
    /// Passes bytes on until either side ends, and tells the other one; an error cuts both.
    async fn pass(
        self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        count: &AtomicU64,
        mut passed: impl FnMut(&[u8]),
    ) -> Result<(), Cut> {
        let mut buffer = vec![0; self.piece];
        let mut carried = 0;
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            while count.load(Ordering::SeqCst) >= self.silent_after {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if to.write_all(&buffer[..read]).await.is_err() {
                break;
            }
            count.fetch_add(read as u64, Ordering::SeqCst);
            passed(&buffer[..read]);
            carried += read as u64;
            if carried >= self.cut_after {
                return Err(Cut);
            }
            if !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
        }
        let _ = to.shutdown().await;
        Ok(())
    }
}

/// Finds the request lines that ask for blobs in what a client sends.
#[derive(Default)]
struct Requests {
    /// The beginning of what may be a request line.
    begun: Vec<u8>,
}

impl Requests {
    const START: &[u8] = b"GET /v2/";

    fn blobs_in(&mut self, bytes: &[u8]) -> Vec<String> {
        self.begun.extend_from_slice(bytes);
        let mut found = Vec::new();
        while let Some(start) = position(&self.begun, Self::START) {
            self.begun.drain(..start);
            let Some(end) = position(&self.begun, b" HTTP/1.1") else {
                return found;
            };
            let line: Vec<u8> = self.begun.drain(..end).collect();
            let line = String::from_utf8_lossy(&line).into_owned();
            found.extend(
                line.split_once("/blobs/")
                    .map(|(_, digest)| digest.to_owned()),
            );
        }
        let kept = self.begun.len().min(Self::START.len() - 1);
        self.begun.drain(..self.begun.len() - kept);
        found
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|it| it == wanted)
}

#[test]
fn requests_are_found_wherever_they_are_cut() {
    let text = b"POST /x\r\n\r\nGET /v2/a/blobs/d1 HTTP/1.1\r\n\r\nGET /v2/a/manifests/m HTTP/1.1\r\n\r\nGET /v2/b/blobs/d2 HTTP/1.1\r\n";
    for cut in 0..text.len() {
        let mut requests = Requests::default();
        let mut found = requests.blobs_in(&text[..cut]);
        found.extend(requests.blobs_in(&text[cut..]));
        assert_eq!(found, ["d1", "d2"]);
    }
}
