//! Blobs in memory: for tests, and for artifacts that are small and short-lived.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use super::blocking::{cancellable, on_thread};
use super::entry::describe_referrer;
use super::{
    BlobSource, Referrers, Storage, StoreError, Tags, VerifyReader, check_range, entry_name,
    error_of_read,
};
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Reference, media_type};

/// A store that is gone with the process.
#[derive(Debug, Default)]
pub struct Memory {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<Digest, Bytes>,
    tags: BTreeMap<String, Descriptor>,
    referrers: BTreeMap<Digest, Vec<Descriptor>>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many blobs there are.
    pub fn len(&self) -> usize {
        self.read().blobs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn blob(&self, digest: &Digest) -> Result<Bytes> {
        let found = self.read().blobs.get(digest).cloned();
        Ok(found.ok_or_else(|| StoreError::BlobNotFound {
            blob: *digest,
            place: "memory".to_owned(),
        })?)
    }
}

impl Storage for Memory {
    type Reader = VerifyReader<Cursor<Bytes>>;

    async fn fetch(&self, blob: &Descriptor) -> Result<Self::Reader> {
        let bytes = self.blob(&blob.digest)?;
        Ok(VerifyReader::new(Cursor::new(bytes), blob))
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Self::Reader> {
        let length = check_range(blob, &range)?;
        let bytes = self.blob(&blob.digest)?;
        let within = |offset: u64| {
            usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()))
        };
        let part = bytes.slice(within(range.start)..within(range.end));
        Ok(VerifyReader::of_part(Cursor::new(part), blob, length))
    }

    fn verifies(&self) -> bool {
        true
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        let state = self.read();
        let found = state.blobs.get(&blob.digest);
        Ok(found.is_some_and(|bytes| bytes.len() as u64 == blob.size))
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        if self.exists(expected).await? {
            return Ok(());
        }
        let failed = |error| error_of_read(error, &expected.digest);
        let (_wanted, reader) = cancellable(content.open_at(0).map_err(failed)?);
        let mut reader = VerifyReader::new(reader, expected);
        let read = on_thread(move || {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).map(|_| bytes)
        });
        let bytes = read.await.map_err(failed)?;
        let referrer = if media_type::is_manifest(&expected.media_type) {
            let document = Document::parse(bytes.clone(), Some(&expected.media_type))?;
            let subject = document.subject().map(|subject| subject.digest);
            subject.map(|subject| (subject, describe_referrer(&document, expected.digest)))
        } else {
            None
        };
        let mut state = self.write();
        state.blobs.insert(expected.digest, bytes.into());
        if let Some((subject, referrer)) = referrer {
            state.referrers.entry(subject).or_default().push(referrer);
        }
        Ok(())
    }
}

impl Tags for Memory {
    async fn resolve(&self, reference: &Reference) -> Result<Document> {
        let (digest, media_type) = match reference.digest() {
            Some(digest) => (*digest, None),
            None => {
                let name = entry_name(reference);
                let found = self.read().tags.get(&name).cloned();
                let place = "memory".to_owned();
                let manifest = found.ok_or(StoreError::NameNotFound { name, place })?;
                (manifest.digest, Some(manifest.media_type))
            }
        };
        let bytes = self.blob(&digest)?.to_vec();
        Ok(Document::parse(bytes, media_type.as_deref())?)
    }

    async fn tag(&self, manifest: &Descriptor, reference: &Reference) -> Result<()> {
        self.blob(&manifest.digest)?;
        let name = entry_name(reference);
        self.write().tags.insert(name, manifest.clone());
        Ok(())
    }
}

impl Referrers for Memory {
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let state = self.read();
        Ok(state.referrers.get(subject).cloned().unwrap_or_default())
    }
}
