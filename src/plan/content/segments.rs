//! A layer as a list of segments, read where they stand.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use crate::model::source::ModelFile;
use crate::store::BlobSource;

/// The content of a layer: segments, one after the other. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    list: Arc<[Segment]>,
    size: u64,
}

/// A piece of a layer.
#[derive(Debug, Clone)]
pub(in crate::plan) enum Segment {
    /// A range of a file of the model, which must not have changed since it was walked.
    Range {
        file: Arc<ModelFile>,
        offset: u64,
        length: u64,
    },
    /// Zero bytes: padding.
    Zeros(u64),
    /// Bytes in memory.
    Bytes(Arc<[u8]>),
}

impl Segment {
    fn length(&self) -> u64 {
        match self {
            Self::Range { length, .. } | Self::Zeros(length) => *length,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

impl Segments {
    /// A whole file.
    pub(in crate::plan) fn whole(file: &Arc<ModelFile>) -> Self {
        Self::from_iter([Segment::Range {
            file: Arc::clone(file),
            offset: 0,
            length: file.size,
        }])
    }

    /// The file, offset and length, where the content is one range of a file.
    pub(in crate::plan) fn only_range(&self) -> Option<(&Arc<ModelFile>, u64, u64)> {
        match &*self.list {
            [
                Segment::Range {
                    file,
                    offset,
                    length,
                },
            ] => Some((file, *offset, *length)),
            _ => None,
        }
    }

    /// What it consists of; no segment is empty.
    pub(in crate::plan) fn segments(&self) -> &[Segment] {
        &self.list
    }

    /// The length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl From<Vec<u8>> for Segments {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_iter([Segment::Bytes(bytes.into())])
    }
}

impl FromIterator<Segment> for Segments {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        let segments = segments.into_iter();
        let list: Arc<[Segment]> = segments.filter(|segment| segment.length() > 0).collect();
        let size = list.iter().map(Segment::length).sum();
        Self { list, size }
    }
}

impl BlobSource for Segments {
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let mut skip = offset;
        let mut index = 0;
        while let Some(segment) = self.list.get(index).filter(|s| s.length() <= skip) {
            skip -= segment.length();
            index += 1;
        }
        Ok(Box::new(SegmentReader {
            segments: self.clone(),
            index,
            position: skip,
            open: None,
        }))
    }

    /// The file of the model, where the layer is that file whole.
    fn local_file(&self) -> Option<File> {
        match self.only_range() {
            Some((file, 0, length)) if length == file.size => file.open().ok(),
            _ => None,
        }
    }
}

/// Reads segments in order. The last file stays open, as most segments that follow are in it too.
struct SegmentReader {
    segments: Segments,
    index: usize,
    /// Where in the segment, in bytes.
    position: u64,
    open: Option<(Arc<ModelFile>, File)>,
}

impl SegmentReader {
    fn range(&mut self, file: &Arc<ModelFile>, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        if !matches!(&self.open, Some((open, _)) if Arc::ptr_eq(open, file)) {
            self.close()?;
            self.open = Some((Arc::clone(file), file.open()?));
        }
        let (_, handle) = self.open.as_ref().expect("opened above");
        match handle.read_at(buffer, at) {
            Ok(0) => Err(file.fault(io::ErrorKind::UnexpectedEof, &"ended while it was read")),
            Ok(read) => Ok(read),
            Err(error) => Err(file.fault(error.kind(), &error)),
        }
    }

    /// Looks once more at the file that was read: what changed meanwhile is not passed off as read.
    fn close(&mut self) -> io::Result<()> {
        match self.open.take() {
            Some((file, handle)) => file.check_unchanged(&handle),
            None => Ok(()),
        }
    }
}

impl Read for SegmentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let segments = Arc::clone(&self.segments.list);
        while let Some(segment) = segments.get(self.index) {
            let left = segment.length() - self.position;
            if left == 0 {
                (self.index, self.position) = (self.index + 1, 0);
                continue;
            }
            let limit = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let buffer = &mut buffer[..limit];
            if buffer.is_empty() {
                return Ok(0);
            }
            let read = match segment {
                Segment::Range { file, offset, .. } => {
                    self.range(file, buffer, offset + self.position)?
                }
                Segment::Zeros(_) => {
                    buffer.fill(0);
                    limit
                }
                Segment::Bytes(bytes) => {
                    let start = bytes.len() - left as usize;
                    buffer.copy_from_slice(&bytes[start..][..limit]);
                    limit
                }
            };
            self.position += read as u64;
            return Ok(read);
        }
        self.close()?;
        Ok(0)
    }
}

/// Reads a short range of a file into memory; the caller bounds its length.
pub(in crate::plan) fn read_range(
    file: &ModelFile,
    offset: u64,
    length: u64,
) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    let handle = file.open()?;
    let read = handle.read_exact_at(&mut bytes, offset);
    read.map_err(|error| file.fault(error.kind(), &error))?;
    file.check_unchanged(&handle)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir, content: &[u8]) -> Arc<ModelFile> {
        let location = folder.path().join("f");
        std::fs::write(&location, content).unwrap();
        Arc::new(ModelFile::new("f".parse().unwrap(), location).unwrap())
    }

    fn segments(file: &Arc<ModelFile>) -> Segments {
        let range = |offset, length| Segment::Range {
            file: Arc::clone(file),
            offset,
            length,
        };
        Segments::from_iter([
            range(2, 3),
            Segment::Zeros(2),
            Segment::Bytes(b"xyz".as_slice().into()),
            range(0, 1),
        ])
    }

    #[test]
    fn content_can_be_opened_at_every_offset() {
        let folder = tempfile::tempdir().unwrap();
        let segments = segments(&file(&folder, b"abcdef"));
        let whole = b"cde\0\0xyza";
        assert_eq!(segments.size(), whole.len() as u64);
        for start in 0..=whole.len() {
            let mut read = Vec::new();
            let mut reader = segments.open_at(start as u64).unwrap();
            reader.read_to_end(&mut read).unwrap();
            assert_eq!(read, &whole[start..], "from {start}");
        }
    }

    #[test]
    fn file_that_changed_is_named_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let segments = segments(&file(&folder, b"abcdef"));
        file(&folder, b"abcdefg");
        let error = segments.open_at(0).unwrap().read(&mut [0; 8]).unwrap_err();
        assert!(error.to_string().contains("/f`: changed"), "{error}");
    }
}
