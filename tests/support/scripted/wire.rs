//! HTTP/1.1 by hand: requests are read as they are, and answers can be as wrong as they need be.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

/// More of a body than any assertion looks at.
const KEPT: usize = 1 << 20;

/// How long a server says nothing.
const WHILE: Duration = Duration::from_secs(3);

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The start of the body.
    pub(crate) body: Vec<u8>,
    /// The length of the body.
    pub(crate) length: u64,
    /// Whether the client showed a certificate.
    pub(crate) has_certificate: bool,
    /// Which of the server's connections it came on.
    pub(crate) connection: usize,
}

impl Seen {
    /// The range of a blob that was asked for; the end is exclusive.
    pub(crate) fn range(&self) -> Option<std::ops::Range<usize>> {
        let (first, last) = self
            .header("range")?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        Some(first.parse().unwrap()..last.parse::<usize>().unwrap() + 1)
    }

    /// A header by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// Whether the request is this one: `GET /v2/`. The target may go on.
    pub(crate) fn is(&self, line: &str) -> bool {
        format!("{} {}", self.method, self.target).starts_with(line)
    }

    /// A parameter of the query, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Everything that was sent, in one text, to look for secrets in.
    pub(crate) fn text(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        format!("{} {} {:?} {body}", self.method, self.target, self.headers)
    }

    /// Reads the next request; nothing at the end of the connection.
    pub(crate) fn read(stream: &mut BufReader<impl Read>) -> io::Result<Option<Self>> {
        let first = line(stream)?;
        let mut words = first.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let mut seen = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            length: 0,
            has_certificate: false,
            connection: 0,
        };
        loop {
            let line = line(stream)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let value = value.trim().to_owned();
            seen.headers.push((name.to_ascii_lowercase(), value));
        }
        Ok(Some(seen))
    }

    /// Reads the start of the body.
    pub(crate) fn read_part(&mut self, stream: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
        let mut part = Vec::new();
        stream.take(length).read_to_end(&mut part)?;
        self.length = part.len() as u64;
        self.body = part[..part.len().min(KEPT)].to_vec();
        Ok(part)
    }

    /// Reads the body, which a script may leave unread.
    pub(crate) fn read_body(&mut self, stream: &mut impl Read) -> io::Result<Vec<u8>> {
        let length = self
            .header("content-length")
            .map_or(0, |text| text.parse().unwrap());
        let mut body = Vec::new();
        stream.take(length).read_to_end(&mut body)?;
        if body.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.length = length;
        self.body = body[..body.len().min(KEPT)].to_vec();
        Ok(body)
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// These bytes, with their length.
    Bytes(Vec<u8>),
    /// These bytes, with another length; then the connection is closed.
    Claimed(u64, Vec<u8>),
    /// These bytes without a length, in one chunk.
    Chunked(Vec<u8>),
    /// Zeros until the client has had enough.
    Endless,
    /// These bytes of more; then nothing for a while.
    Stalled(u64, Vec<u8>),
    /// Nothing, not even a status: the connection is closed.
    Nothing,
    /// Nothing, not even a status, for a while.
    Silent,
    /// These bytes, so many at a time, with a pause after each.
    Paced(Vec<u8>, usize, Duration),
    /// These bytes of more; then the connection is reset.
    Reset(u64, Vec<u8>),
    /// These bytes in one chunk, and no end; then the connection is closed.
    CutChunks(Vec<u8>),
}

/// What becomes of a connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It can be used again.
    Open,
    /// It is closed.
    Closed,
    /// It is reset.
    Reset,
}

impl Reply {
    /// An answer with a text.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Bytes(body.into()),
        }
    }

    /// The same answer with a header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same answer with another body.
    pub(crate) fn content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    /// A redirect.
    pub(crate) fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::new(status, "").with("Location", location)
    }

    /// Writes the answer; says what becomes of the connection.
    pub(crate) fn write(&self, stream: &mut impl Write, is_head: bool) -> io::Result<After> {
        if matches!(self.content, Content::Silent) {
            std::thread::sleep(WHILE);
        }
        if matches!(self.content, Content::Nothing | Content::Silent) {
            return Ok(After::Closed);
        }
        let mut head = format!("HTTP/1.1 {} X\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &match &self.content {
            Content::Bytes(bytes) | Content::Paced(bytes, ..) => {
                format!("Content-Length: {}\r\n", bytes.len())
            }
            Content::Claimed(length, _)
            | Content::Stalled(length, _)
            | Content::Reset(length, _) => format!("Content-Length: {length}\r\n"),
            _ => "Transfer-Encoding: chunked\r\n".to_owned(),
        };
        stream.write_all(head.as_bytes())?;
        stream.write_all(b"\r\n")?;
        if is_head {
            stream.flush()?;
            return Ok(After::Open);
        }
        self.write_content(stream)?;
        stream.flush()?;
        Ok(match self.content {
            Content::Bytes(_) | Content::Chunked(_) | Content::Paced(..) => After::Open,
            Content::Reset(..) => After::Reset,
            _ => After::Closed,
        })
    }

    fn write_content(&self, stream: &mut impl Write) -> io::Result<()> {
        match &self.content {
            Content::Nothing | Content::Silent => Ok(()),
            Content::Bytes(bytes) | Content::Claimed(_, bytes) => stream.write_all(bytes),
            Content::Reset(_, bytes) => {
                stream.write_all(bytes)?;
                stream.flush()?;
                // A reset takes away what the client has not read yet.
                std::thread::sleep(Duration::from_millis(50));
                Ok(())
            }
            Content::Paced(bytes, length, pause) => {
                for piece in bytes.chunks(*length) {
                    stream.write_all(piece)?;
                    stream.flush()?;
                    std::thread::sleep(*pause);
                }
                Ok(())
            }
            Content::Chunked(bytes) | Content::CutChunks(bytes) => {
                write!(stream, "{:x}\r\n", bytes.len())?;
                stream.write_all(bytes)?;
                stream.write_all(b"\r\n")?;
                match self.content {
                    Content::Chunked(_) => stream.write_all(b"0\r\n\r\n"),
                    _ => Ok(()),
                }
            }
            Content::Endless => loop {
                write!(stream, "10000\r\n")?;
                stream.write_all(&[b' '; 0x10000])?;
                stream.write_all(b"\r\n")?;
            },
            Content::Stalled(_, bytes) => {
                stream.write_all(bytes)?;
                stream.flush()?;
                std::thread::sleep(WHILE);
                Ok(())
            }
        }
    }
}
