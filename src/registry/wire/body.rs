//! Bodies in both directions: bounded in memory, in time and, where it matters, in length.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt;
use tokio::task::JoinHandle;

use super::head::Head;
use super::respond::{Code, Failure};

/// How much of a file is read at a time: with one block on its way and one being read, a download
/// holds twice this.
const BLOCK: u64 = 512 * 1024;
/// How much of an unwanted body is read so that its sender gets to see the answer.
const DISCARD: usize = 16 * 1024 * 1024;
/// For how long.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// The next bytes of a body; `None` at its end.
pub(crate) async fn next(body: &mut Body, patience: Duration) -> Result<Option<Bytes>, Failure> {
    loop {
        let frame = match tokio::time::timeout(patience, body.frame()).await {
            Err(_) => {
                return Err(
                    Failure::new(Code::BlobUploadInvalid, "the body stopped coming")
                        .with_status(StatusCode::REQUEST_TIMEOUT),
                );
            }
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => {
                return Err(Failure::new(
                    Code::BlobUploadInvalid,
                    format!("the body broke off: {error}"),
                ));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        // What is not data is a trailer, which nothing here needs.
        if let Ok(bytes) = frame.into_data()
            && !bytes.is_empty()
        {
            return Ok(Some(bytes));
        }
    }
}

/// Reads a whole body of limited length; `None` if it is longer.
pub(crate) async fn collect(
    body: &mut Body,
    limit: u64,
    patience: Duration,
) -> Result<Option<Vec<u8>>, Failure> {
    let mut content = Vec::new();
    while let Some(bytes) = next(body, patience).await? {
        if (content.len() + bytes.len()) as u64 > limit {
            return Ok(None);
        }
        content.extend_from_slice(&bytes);
    }
    Ok(Some(content))
}

/// Reads what is left of a body that will not be used. A client that is still sending when the
/// connection is closed may never see why.
pub(crate) async fn discard(head: &Head, mut body: Body) {
    // Such a client waits for the answer before it sends, unless somebody reads.
    if head.header(header::EXPECT).is_some() {
        return;
    }
    let reading = async {
        let mut left = DISCARD;
        while let Ok(Some(bytes)) = next(&mut body, DISCARD_TIME).await {
            match left.checked_sub(bytes.len()) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    let _ = tokio::time::timeout(DISCARD_TIME, reading).await;
}

/// Sends a part of a file. The next block is read while one is on its way, and a slow client holds
/// no thread.
pub(crate) fn send(file: File, range: Range<u64>) -> Body {
    let first = read_block(file, Some(range.start), range.end - range.start);
    Body::from_stream(stream::try_unfold(Some(first), |reading| async move {
        let Some(reading) = reading else {
            return Ok(None);
        };
        let Block { bytes, file, left } = reading.await.map_err(io::Error::other)??;
        let next = (left > 0).then(|| read_block(file, None, left));
        Ok::<_, io::Error>(Some((bytes, next)))
    }))
}

/// A block that was read, and what is needed to read the next.
struct Block {
    bytes: Bytes,
    file: File,
    left: u64,
}

/// Reads a block where the file stands, or at an offset.
fn read_block(mut file: File, at: Option<u64>, left: u64) -> JoinHandle<io::Result<Block>> {
    tokio::task::spawn_blocking(move || {
        if let Some(offset) = at {
            file.seek(SeekFrom::Start(offset))?;
        }
        let wanted = left.min(BLOCK);
        let mut bytes = Vec::with_capacity(wanted as usize);
        Read::by_ref(&mut file)
            .take(wanted)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 != wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Block {
            bytes: bytes.into(),
            file,
            left: left - wanted,
        })
    })
}
