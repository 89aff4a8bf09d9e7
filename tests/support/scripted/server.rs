//! The server: a thread for each connection, all of them gone when the server is dropped.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::honest::Honest;
use super::wire::{After, Reply, Seen};

/// The longest that a connection may be idle.
const IDLE: Duration = Duration::from_secs(10);

type Script = dyn Fn(&Seen) -> Option<Reply> + Send + Sync;

/// What happens once the head of a request is there, before its body is read.
pub(crate) enum Early {
    /// The body is read.
    Read,
    /// So many bytes of the body are read and kept; then the connection is closed.
    Cut(u64),
    /// It is answered; then the connection is closed, the body unread.
    Answer(Reply),
}

/// A running server.
pub(crate) struct Scripted {
    /// `127.0.0.1:port`.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    script: Box<Script>,
    early: Box<dyn Fn(&Seen) -> Early + Send + Sync>,
    honest: Mutex<Honest>,
    log: Mutex<Vec<Seen>>,
    is_over: AtomicBool,
    connections: AtomicUsize,
}

impl Scripted {
    /// A server that is nothing but an honest registry.
    pub(crate) fn honest() -> Self {
        Self::start(|_| None)
    }

    /// A server with a script.
    pub(crate) fn start(script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> Self {
        Self::serve(Honest::default(), script, None)
    }

    /// A server with a script, over a registry that was prepared, with TLS if configured.
    pub(crate) fn serve(
        honest: Honest,
        script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        Self::run(honest, (script, |_| Early::Read), tls)
    }

    /// A server with a script, and one for what happens before a body is read.
    pub(crate) fn interrupting(
        early: impl Fn(&Seen) -> Early + Send + Sync + 'static,
        script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::run(Honest::default(), (script, early), None)
    }

    fn run(
        honest: Honest,
        (script, early): (
            impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
            impl Fn(&Seen) -> Early + Send + Sync + 'static,
        ),
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            early: Box::new(early),
            honest: Mutex::new(honest),
            log: Mutex::default(),
            is_over: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (stream, shared, tls) = (stream.unwrap(), accepting.clone(), tls.clone());
                thread::spawn(move || connection(stream, &shared, tls));
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What arrived so far.
    pub(crate) fn log(&self) -> Vec<Seen> {
        self.shared.log.lock().unwrap().clone()
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Method and target of what arrived so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.log().into_iter();
        lines
            .map(|seen| format!("{} {}", seen.method, seen.target))
            .collect()
    }

    /// Everything that arrived so far, in one text, to look for secrets in.
    pub(crate) fn text(&self) -> String {
        self.log().iter().map(|seen| seen.text() + "\n").collect()
    }

    /// What the registry holds.
    pub(crate) fn contents(&self) -> std::sync::MutexGuard<'_, Honest> {
        self.shared.honest.lock().unwrap()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn connection(stream: TcpStream, shared: &Shared, tls: Option<Arc<ServerConfig>>) {
    stream.set_read_timeout(Some(IDLE)).unwrap();
    stream.set_write_timeout(Some(IDLE)).unwrap();
    stream.set_nodelay(true).unwrap();
    let itself = stream.try_clone().unwrap();
    // Whatever breaks here is for the client to notice.
    let after = match tls {
        Some(config) => {
            let session = ServerConnection::new(config).unwrap();
            let showed = |stream: &StreamOwned<ServerConnection, TcpStream>| {
                stream.conn.peer_certificates().is_some()
            };
            converse(StreamOwned::new(session, stream), shared, showed)
        }
        None => converse(stream, shared, |_| false),
    };
    if matches!(after, Ok(After::Reset)) {
        let socket = tokio::net::TcpSocket::from_std_stream(itself);
        socket.set_zero_linger().unwrap();
    }
}

fn converse<S: Read + Write>(
    stream: S,
    shared: &Shared,
    showed_certificate: impl Fn(&S) -> bool,
) -> std::io::Result<After> {
    let connection = shared.connections.fetch_add(1, Ordering::SeqCst);
    let mut stream = BufReader::new(stream);
    while let Some(mut seen) = Seen::read(&mut stream)? {
        match (shared.early)(&seen) {
            Early::Read => {}
            Early::Cut(length) => {
                let part = seen.read_part(&mut stream, length)?;
                shared.honest.lock().unwrap().uploads.keep(&seen, &part);
                shared.log.lock().unwrap().push(seen);
                return Ok(After::Closed);
            }
            Early::Answer(reply) => {
                shared.log.lock().unwrap().push(seen);
                reply.write(stream.get_mut(), false)?;
                return Ok(After::Closed);
            }
        }
        let body = seen.read_body(&mut stream)?;
        seen.connection = connection;
        seen.has_certificate = showed_certificate(stream.get_ref());
        shared.log.lock().unwrap().push(seen.clone());
        let scripted = (shared.script)(&seen);
        let reply = match scripted {
            Some(reply) => reply,
            None => shared.honest.lock().unwrap().answer(&seen, body),
        };
        let after = reply.write(stream.get_mut(), seen.method == "HEAD")?;
        if after != After::Open {
            return Ok(after);
        }
    }
    Ok(After::Closed)
}
