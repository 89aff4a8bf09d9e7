//! HTTP/1.1 by hand: what a test sends is exactly what goes over the wire.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a test waits for the other side.
const LIMIT: Duration = Duration::from_secs(30);

/// A request: method, target as it is sent, headers, body.
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer. Header names are in lower case.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A request without body.
    pub(crate) fn new(method: &str, target: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same with a header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same with a body.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The bytes before the body. `Host` and `Content-Length` are added where the test gave none.
    pub(crate) fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let has = |wanted: &str| {
            let mut names = self.headers.iter().map(|(name, _)| name);
            names.any(|name| name.eq_ignore_ascii_case(wanted))
        };
        if !has("host") {
            head += "Host: localhost\r\n";
        }
        if !has("content-length") && !has("transfer-encoding") {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head + "Connection: close\r\n\r\n"
    }

    /// Sends it on a new connection and reads the answer.
    #[track_caller]
    pub(crate) fn send(&self, address: SocketAddr) -> Reply {
        self.try_send(address).unwrap()
    }

    /// The same where the other side may not be there, or no longer.
    pub(crate) fn try_send(&self, address: SocketAddr) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        stream.write_all(self.head().as_bytes())?;
        stream.write_all(&self.body)?;
        Reply::try_read(stream, self.method == "HEAD")
    }
}

/// A connection that fails a test rather than hang it.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

impl Reply {
    /// Reads an answer up to its announced length, or to the end of the connection.
    #[track_caller]
    pub(crate) fn read(stream: TcpStream, is_head: bool) -> Self {
        Self::try_read(stream, is_head).unwrap()
    }

    fn try_read(stream: TcpStream, is_head: bool) -> io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut reply = Self {
            status: status.ok_or(io::ErrorKind::UnexpectedEof)?,
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            let name = name.to_ascii_lowercase();
            reply.headers.push((name, value.to_owned()));
        }
        let length = reply
            .header("content-length")
            .map(|text| text.parse().unwrap());
        match length {
            _ if is_head => {}
            Some(length) => {
                reply.body = vec![0; length];
                reader.read_exact(&mut reply.body)?;
            }
            None => {
                reader.read_to_end(&mut reply.body)?;
            }
        }
        Ok(reply)
    }

    /// A header's first value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Asserts the status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{:?} {body:.300}", self.headers);
        self
    }

    /// Asserts the status and the code of the error document.
    #[track_caller]
    pub(crate) fn fails(self, status: u16, code: &str) -> Self {
        let reply = self.is(status);
        let document: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(document["errors"][0]["code"], code, "{document}");
        reply
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
