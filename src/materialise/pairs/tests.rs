use std::io::{self, Cursor};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncWriteExt as _, duplex};
use tokio::time::timeout;

use super::*;
use crate::ErrorKind;
use crate::oci::Algorithm;
use crate::store::StoreError;
use crate::store::read_ahead::BUFFER;

/// What the consumers of a test were given.
type Taken = Arc<Mutex<Vec<u8>>>;

struct Collected(Taken);

impl Consumer for Collected {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        lock_taken(&self.0).extend_from_slice(bytes);
        Ok(())
    }
}

fn lock_taken(taken: &Taken) -> MutexGuard<'_, Vec<u8>> {
    taken.lock().unwrap()
}

struct Full;

impl Consumer for Full {
    fn take(&mut self, _: &[u8]) -> Result<()> {
        let cause = io::ErrorKind::StorageFull.into();
        let path = "file".into();
        Err(StoreError::Io { path, cause }.into())
    }
}

fn content(size: usize, seed: u8) -> (Vec<u8>, Descriptor) {
    let bytes: Vec<u8> = (0..size).map(|at| (at / 7) as u8 ^ seed).collect();
    let blob = Descriptor::of("a/b", &bytes);
    (bytes, blob)
}

fn sha256() -> Hasher {
    Hasher::new(Algorithm::Sha256)
}

/// Lands a blob that comes in small pieces.
async fn land_dripping(pairs: &Pairs<Collected>, size: usize, seed: u8) {
    let (bytes, blob) = content(size, seed);
    let (reader, mut writer) = duplex(7000);
    let sent = bytes.clone();
    tokio::spawn(async move { writer.write_all(&sent).await });
    let taken = Taken::default();
    let landed = pairs.land(reader, &blob, (Collected(Arc::clone(&taken)), sha256()));
    assert_eq!(landed.await.unwrap().finish(), blob.digest, "{size}");
    assert!(*lock_taken(&taken) == bytes, "{size}");
}

#[tokio::test]
async fn each_of_many_blobs_is_written_and_hashed_whole() {
    let pairs = Pairs::new();
    let sizes = [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, 5 * BUFFER + 77, 3];
    let blobs = sizes.iter().cycle().take(40).zip(0..);
    join_all(blobs.map(|(size, seed)| land_dripping(&pairs, *size, seed))).await;
    // Threads that have nothing to do end, and others begin.
    land_dripping(&pairs, 2 * BUFFER, 200).await;
}

#[tokio::test]
async fn blob_that_does_not_come_holds_up_no_other() {
    let pairs = Pairs::new();
    let (_open, silent) = duplex(1);
    let (bytes, blob) = content(3 * BUFFER, 0);
    let never = pairs.land(silent, &blob, (Collected(Taken::default()), sha256()));
    let other = pairs.land(
        Cursor::new(bytes),
        &blob,
        (Collected(Taken::default()), sha256()),
    );
    let both = async {
        tokio::select! { _ = never => None, other = other => Some(other) }
    };
    let landed = timeout(Duration::from_secs(60), both).await.unwrap();
    assert_eq!(landed.unwrap().unwrap().finish(), blob.digest);
}

#[tokio::test]
async fn failure_is_told_and_ends_the_reading() {
    let (bytes, blob) = content(40 * BUFFER, 0);
    let pairs = Pairs::new();
    let landed = pairs.land(Cursor::new(bytes), &blob, (Full, sha256()));
    assert_eq!(landed.await.unwrap_err().kind(), ErrorKind::Io);
}

#[tokio::test]
async fn who_stops_waiting_stops_the_reading() {
    let pairs = Pairs::new();
    let (_, blob) = content(BUFFER, 0);
    let (mut open, silent) = duplex(1);
    let landed = pairs.land(silent, &blob, (Collected(Taken::default()), sha256()));
    assert!(timeout(Duration::from_millis(50), landed).await.is_err());
    // The thread lets go of the reader.
    let written = async { while open.write_all(&[0]).await.is_ok() {} };
    timeout(Duration::from_secs(60), written).await.unwrap();
}
