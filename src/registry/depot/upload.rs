//! One blob on its way in: chunks → a file in the scratch folder → the content's final name.
//!
//! Bytes are hashed while they are written, by a thread of their own, so that a push runs at the
//! speed of the disk; and they are on their way to it while more are coming. Nothing is read again, unless the digest turns out to be of another
//! algorithm than the one announced.

use std::io::{Read, Seek, Write};
use std::sync::mpsc;
use std::thread;

use tempfile::NamedTempFile;

use super::ledger::Charge;
use super::{Depot, Repository};
use crate::oci::{Algorithm, Digest, Hasher};
use crate::registry::RegistryError;
use crate::store::{WRITE_BACK, reserve, write_back};

/// Batches between writer and hasher.
const QUEUE: usize = 1;
/// Below this a thread for hashing costs more than it saves.
const WORTH_A_THREAD: u64 = 1024 * 1024;
/// Random letters and digits in the name of an upload: 190 bits, as it cannot be guessed.
const NAME_LENGTH: usize = 32;
/// From this length on, in bytes, space on disk is reserved before anything is received.
const WORTH_RESERVING: u64 = 1024 * 1024;
/// The buffer of a second reading.
const BUFFER: usize = 1024 * 1024;

/// A blob of which some bytes may have arrived. Its file vanishes with it.
#[derive(Debug)]
pub(crate) struct Upload {
    file: NamedTempFile,
    offset: u64,
    algorithm: Algorithm,
    hasher: Hasher,
    charge: Charge,
}

impl Upload {
    /// Begins with no bytes.
    pub(super) fn begin(
        depot: &Depot,
        repository: &Repository,
        algorithm: Algorithm,
    ) -> Result<Self, RegistryError> {
        let scratch = depot.scratch();
        let file = tempfile::Builder::new()
            .prefix("upload-")
            .rand_bytes(NAME_LENGTH)
            .tempfile_in(&scratch)
            .map_err(RegistryError::at(&scratch))?;
        Ok(Self {
            file,
            offset: 0,
            algorithm,
            hasher: Hasher::new(algorithm),
            charge: depot.ledger.charge(repository),
        })
    }

    /// A random name, which no other upload has.
    pub(super) fn name(&self) -> String {
        let name = self.file.path().file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// How many bytes have arrived.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Announces the algorithm of the digest, which costs nothing as long as no byte is there.
    pub(crate) fn expect(&mut self, algorithm: Algorithm) {
        if self.offset == 0 {
            self.algorithm = algorithm;
            self.hasher = Hasher::new(algorithm);
        }
    }

    /// Reserves space for bytes that are to come, so that a quota that is used up and a full disk
    /// are found before they do.
    pub(crate) fn reserve(&mut self, length: u64) -> Result<(), RegistryError> {
        self.charge.set(self.offset.saturating_add(length))?;
        if length < WORTH_RESERVING {
            return Ok(());
        }
        let range = self.offset..self.offset.saturating_add(length);
        reserve(self.file.as_file(), range).map_err(RegistryError::at(self.file.path()))
    }

    /// Writes batches as they come, until there are no more, and hands each on when it is of no use
    /// here any more. After an error of the disk the upload is of no use either: it is not known
    /// what the file holds.
    pub(crate) fn append(
        &mut self,
        length: Option<u64>,
        batches: impl Iterator<Item = Vec<u8>>,
        spent: impl FnMut(Vec<u8>) + Send,
    ) -> Result<(), RegistryError> {
        let appended = self.write(length, batches, spent);
        // What was announced and never came is given back. Less is never refused.
        let _ = self.charge.set(self.offset);
        appended
    }

    fn write(
        &mut self,
        length: Option<u64>,
        batches: impl Iterator<Item = Vec<u8>>,
        mut spent: impl FnMut(Vec<u8>) + Send,
    ) -> Result<(), RegistryError> {
        let Self {
            file,
            offset,
            hasher,
            charge,
            ..
        } = self;
        let mut written_back = *offset;
        let mut write = |batch: &[u8]| {
            let end = *offset + batch.len() as u64;
            if length.is_none() {
                charge.set(end)?;
            }
            file.write_all(batch)
                .map_err(RegistryError::at(file.path()))?;
            *offset = end;
            if end - written_back >= WRITE_BACK {
                write_back(file.as_file(), written_back..end);
                written_back = end;
            }
            Ok::<_, RegistryError>(())
        };
        let mut hash = move |batch: Vec<u8>| {
            hasher.update(&batch);
            spent(batch);
        };
        if length.is_some_and(|length| length <= WORTH_A_THREAD) {
            for batch in batches {
                write(&batch)?;
                hash(batch);
            }
            return Ok(());
        }
        thread::scope(|scope| {
            let (to_hash, queue) = mpsc::sync_channel::<Vec<u8>>(QUEUE);
            scope.spawn(move || queue.iter().for_each(hash));
            for batch in batches {
                write(&batch)?;
                to_hash
                    .send(batch)
                    .expect("the hasher takes batches as long as there can be any");
            }
            Ok(())
        })
    }

    /// The digest of what arrived, in a given algorithm.
    fn digest(&self, algorithm: Algorithm) -> Result<Digest, RegistryError> {
        if algorithm == self.algorithm {
            return Ok(self.hasher.clone().finish());
        }
        let mut hasher = Hasher::new(algorithm);
        let mut buffer = vec![0; BUFFER];
        let at = || RegistryError::at(self.file.path());
        let mut file = self.file.as_file();
        file.rewind().map_err(at())?;
        loop {
            match file.read(&mut buffer).map_err(at())? {
                0 => return Ok(hasher.finish()),
                count => hasher.update(&buffer[..count]),
            }
        }
    }
}

impl Depot {
    /// Ends an upload: if its bytes have the digest, they get their final name and the repository
    /// has the blob; if not, they are gone, and the digest that they have is returned.
    pub(crate) fn store_upload(
        &self,
        repository: &Repository,
        upload: Upload,
        expected: &Digest,
    ) -> Result<Result<(), Digest>, RegistryError> {
        let actual = upload.digest(expected.algorithm())?;
        if actual != *expected {
            return Ok(Err(actual));
        }
        let Upload {
            file,
            offset,
            charge,
            ..
        } = upload;
        // Space that was reserved and never used is given back. The bytes are on disk before
        // anybody has to wait for this.
        file.as_file()
            .set_len(offset)
            .and_then(|()| file.as_file().sync_data())
            .map_err(RegistryError::at(file.path()))?;
        let _kept = self.presence.rely();
        let is_new = self.put_content(expected, file)?;
        let is_new_here = self.link_blob(repository, expected)?;
        charge.settle(is_new, is_new_here);
        Ok(Ok(()))
    }
}
