//! Digests of many contents at once, on threads of their own.

use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Segments;
use crate::oci::{Algorithm, Digest, Hasher};
use crate::plan::PlanError;
use crate::store::BlobSource as _;

/// Long enough that system calls do not count.
const BUFFER: usize = 1024 * 1024;
/// More threads than this do not help: the disk is the limit by then.
const MAX_THREADS: usize = 8;

/// Computes the SHA-256 of each content, the longest first so that threads end together.
pub(in crate::plan) fn digests(contents: &[Segments]) -> Result<Vec<Digest>, PlanError> {
    let mut order: Vec<usize> = (0..contents.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(contents[index].size()));
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![None; contents.len()]);
    let work = || -> Result<(), PlanError> {
        let mut buffer = vec![0; BUFFER];
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let digest = digest(&contents[index], &mut buffer).inspect_err(|_| {
                next.store(order.len(), Ordering::Relaxed);
            })?;
            found.lock().expect("no thread panics")[index] = Some(digest);
        }
        Ok(())
    };
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let threads = threads.clamp(2, MAX_THREADS).min(contents.len());
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut ended = running.into_iter().map(|thread| thread.join());
        ended.try_for_each(|result| result.expect("hashing does not panic"))
    })?;
    let found = found.into_inner().expect("no thread panics");
    Ok(found
        .into_iter()
        .map(|digest| digest.expect("every index was taken"))
        .collect())
}

fn digest(content: &Segments, buffer: &mut [u8]) -> Result<Digest, PlanError> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut reader = content.open_at(0).map_err(PlanError::Read)?;
    loop {
        match reader.read(buffer).map_err(PlanError::Read)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_come_in_the_order_of_the_contents() {
        let contents: Vec<_> = (0..20u8)
            .map(|n| Segments::from(vec![n; usize::from(n) * 7]))
            .collect();
        let digests = digests(&contents).unwrap();
        for (n, digest) in (0..20u8).zip(digests) {
            assert_eq!(digest, Digest::sha256(&vec![n; usize::from(n) * 7]));
        }
    }

    #[test]
    fn nothing_has_no_digests() {
        assert!(digests(&[]).unwrap().is_empty());
    }
}
