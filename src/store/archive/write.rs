//! Writes an archive: a graph of blobs out of any store → a tar under its final name, or no file.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Archive;
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Index, annotation};
use crate::store::blocking::on_thread;
use crate::store::entry::{describe_referrer, unnamed};
use crate::store::{Consumer, Graph, Storage, StoreError, consume};

/// The mode of every file in the tar, and of the tar.
const MODE: u32 = 0o644;
/// The length of a tar block in bytes; content ends with a whole one.
const BLOCK: u64 = 512;

/// A tar that is being written under a temporary name.
type Builder = tar::Builder<io::BufWriter<NamedTempFile>>;

impl Archive {
    /// Writes the graph of an artifact, with its root and its referrers listed, and its documents named
    /// as `names` says. A file that was there before is replaced.
    pub async fn write<S: Storage>(
        path: &Path,
        source: &S,
        graph: &Graph,
        names: &[(Digest, String)],
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
        let index = Document::from_index(index(graph, names));
        append(&mut tar, "index.json", index.raw()).map_err(failed)?;
        let mut file = Tar {
            tar,
            path: path.to_owned(),
        };
        for blob in sorted(graph) {
            file = append_blob(file, source, blob).await?;
        }
        let Tar { tar, .. } = file;
        let (folder, target) = (folder.to_owned(), path.to_owned());
        let finished = on_thread(move || finish(tar, &folder, &target));
        Ok(finished.await.map_err(failed)?)
    }
}

/// What `index.json` lists: the root, the referrers, and whatever else has a name.
fn index(graph: &Graph, names: &[(Digest, String)]) -> Index {
    let root = &graph.root().descriptor;
    let name_of = |digest: &Digest| {
        let named = names.iter().find(|(of, _)| of == digest);
        named.map(|(_, name)| (annotation::REF_NAME.to_owned(), name.clone()))
    };
    let mut entry = root.clone();
    entry.annotations.extend(name_of(&root.digest));
    let mut manifests = vec![entry];
    for node in &graph.documents {
        let digest = node.descriptor.digest;
        let name = name_of(&digest);
        if digest != root.digest && (name.is_some() || node.document.subject().is_some()) {
            let mut entry = unnamed(describe_referrer(&node.document, digest));
            entry.annotations.extend(name);
            manifests.push(entry);
        }
    }
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

/// A tar that takes the content of the entry whose header was written last.
struct Tar {
    tar: Builder,
    path: PathBuf,
}

impl Tar {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.tar.get_mut().write_all(bytes);
        Ok(written.map_err(StoreError::io(&self.path))?)
    }
}

impl Consumer for Tar {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.write(bytes)
    }
}

/// Appends a blob: its header, its content while it comes, and zeros up to a whole block.
async fn append_blob<S: Storage>(mut tar: Tar, source: &S, blob: &Descriptor) -> Result<Tar> {
    let reader = source.fetch(blob).await?;
    let mut header = header(blob.size);
    let named = header.set_path(blob_name(&blob.digest));
    named.map_err(StoreError::io(&tar.path))?;
    header.set_cksum();
    tar.write(header.as_bytes())?;
    let mut tar = consume(reader, blob, tar).await?;
    let padding = (BLOCK - blob.size % BLOCK) % BLOCK;
    tar.write(&[0; BLOCK as usize][..padding as usize])?;
    Ok(tar)
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

fn append(tar: &mut Builder, name: &str, content: &[u8]) -> io::Result<()> {
    tar.append_data(&mut header(content.len() as u64), name, content)
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
