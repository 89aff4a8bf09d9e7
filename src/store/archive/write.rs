//! Writes an archive: a graph of blobs out of any store → a tar under its final name, or no file.

use std::fs::Permissions;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;
use tokio_util::io::SyncIoBridge;

use super::Archive;
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Index, annotation};
use crate::store::blocking::on_thread;
use crate::store::entry::{describe_referrer, unnamed};
use crate::store::{Graph, Storage, StoreError, error_of_read};

/// The mode of every file in the tar, and of the tar.
const MODE: u32 = 0o644;

/// A tar that is being written under a temporary name.
type Builder = tar::Builder<io::BufWriter<NamedTempFile>>;

impl Archive {
    /// Writes the graph of an artifact, with the root named if a name is given and its referrers
    /// listed. A file that was there before is replaced.
    pub async fn write<S: Storage>(
        path: &Path,
        source: &S,
        graph: &Graph,
        name: Option<&str>,
    ) -> Result<()> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file = NamedTempFile::new_in(folder).map_err(StoreError::io(folder))?;
        let mut tar = Builder::new(io::BufWriter::with_capacity(1 << 20, file));
        let failed = |cause| StoreError::Io {
            path: path.to_owned(),
            cause,
        };
        append(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#).map_err(failed)?;
        let index = Document::from_index(index(graph, name));
        append(&mut tar, "index.json", index.raw()).map_err(failed)?;
        for blob in sorted(graph) {
            let appended = append_blob(tar, source, blob).await?;
            tar = appended.map_err(failed)?;
        }
        let (folder, target) = (folder.to_owned(), path.to_owned());
        let finished = on_thread(move || finish(tar, &folder, &target));
        Ok(finished.await.map_err(failed)?)
    }
}

/// What `index.json` lists: the referrers, and the root.
fn index(graph: &Graph, name: Option<&str>) -> Index {
    let root = graph.root();
    let referrers = graph.documents.iter().filter(|node| {
        node.document.subject().is_some() && node.descriptor.digest != root.descriptor.digest
    });
    let list = referrers.map(|node| describe_referrer(&node.document, node.descriptor.digest));
    let mut manifests: Vec<Descriptor> = list.map(unnamed).collect();
    let mut entry = root.descriptor.clone();
    if let Some(name) = name {
        let key = annotation::REF_NAME.to_owned();
        entry.annotations.insert(key, name.to_owned());
    }
    manifests.insert(0, entry);
    Index::new(manifests)
}

/// Every blob and document once, by digest.
fn sorted(graph: &Graph) -> Vec<&Descriptor> {
    let documents = graph.documents.iter().map(|node| &node.descriptor);
    let mut blobs: Vec<_> = graph.blobs.iter().chain(documents).collect();
    blobs.sort_by_key(|blob| blob.digest);
    blobs.dedup_by_key(|blob| blob.digest);
    blobs
}

/// Appends a blob. The outer error is one of the source, the inner one of the tar.
async fn append_blob<S: Storage>(
    mut tar: Builder,
    source: &S,
    blob: &Descriptor,
) -> Result<io::Result<Builder>> {
    let reader = source.fetch(blob).await?;
    let (digest, header) = (blob.digest, header(blob.size));
    on_thread(move || {
        let mut content = Content {
            inner: SyncIoBridge::new(reader),
            failure: None,
        };
        let appended = append_from(&mut tar, header, &blob_name(&digest), &mut content);
        match content.failure {
            Some(failure) => Err(error_of_read(failure, &digest)),
            None => Ok(appended.map(|()| tar)),
        }
    })
    .await
}

/// Keeps the error of a reader apart from those of what its content is written to.
struct Content<R> {
    inner: R,
    failure: Option<io::Error>,
}

impl<R: Read> Read for Content<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            self.failure = Some(error);
            io::Error::other("the source failed")
        })
    }
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

fn append(tar: &mut Builder, name: &str, mut content: &[u8]) -> io::Result<()> {
    append_from(tar, header(content.len() as u64), name, &mut content)
}

fn append_from(
    tar: &mut Builder,
    mut header: tar::Header,
    name: &str,
    content: &mut dyn Read,
) -> io::Result<()> {
    tar.append_data(
        &mut header,
        name,
        io::BufReader::with_capacity(1 << 20, content),
    )
}

/// A header that says nothing about this machine: no owner, no time.
fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(MODE);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn finish(tar: Builder, folder: &Path, target: &Path) -> io::Result<()> {
    let mut writer = tar.into_inner()?;
    writer.flush()?;
    let file = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.as_file()
        .set_permissions(Permissions::from_mode(MODE))?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}
