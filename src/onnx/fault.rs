//! What can be wrong with one tensor, and with one file of external data.

use std::io;

use crate::ErrorKind;

/// What is wrong with a tensor.
#[derive(Debug, thiserror::Error)]
pub enum TensorFault {
    /// A dimension below zero.
    #[error("dimension {0} is negative")]
    NegativeDimension(i64),
    /// More dimensions than NumPy and every runtime take.
    #[error("it has more than 64 dimensions")]
    Rank,
    /// A shape whose size in bytes is no 64-bit number.
    #[error("shape {0:?} is beyond 2^64 bytes")]
    Overflow(Vec<u64>),
    /// Data of another length than type and shape say.
    #[error("expected {expected} bytes by its type and shape, got {actual}")]
    Length {
        /// By type and shape.
        expected: u64,
        /// As found.
        actual: u64,
    },
    /// A `data_location` that is neither DEFAULT nor EXTERNAL.
    #[error("data location {0} is neither 0 (in the model) nor 1 (external)")]
    DataLocation(u64),
    /// External data of a type without a fixed width.
    #[error("elements of type {0} cannot be external data")]
    NoWidth(&'static str),
    /// Both external data and data in the model.
    #[error("it has external data and data in the model")]
    TwoContents,
    /// A key of `external_data` that is not defined.
    #[error(
        "external data has the unknown key `{0}`: expected location, offset, length, or checksum"
    )]
    UnknownKey(String),
    /// A key of `external_data` that occurs twice.
    #[error("external data has the key `{0}` twice")]
    DuplicateKey(&'static str),
    /// No location.
    #[error("external data has no location")]
    NoLocation,
    /// An offset or length that is no number of bytes.
    #[error("{key} of external data is `{value}`: expected a number from 0 to 2^63-1")]
    Number {
        /// `offset` or `length`.
        key: &'static str,
        /// As found, shortened.
        value: String,
    },
    /// A location that is no safe relative path.
    #[error("location {reason}{}", shown(location))]
    Location {
        /// As found, shortened.
        location: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A region beyond the end of its file.
    #[error("bytes {offset} to {end} are beyond the {size} bytes of external data `{location}`")]
    Beyond {
        /// The file.
        location: String,
        /// The first byte.
        offset: u64,
        /// The byte after the last.
        end: u64,
        /// The file's size in bytes.
        size: u64,
    },
    /// A file of external data that was refused.
    #[error("external data `{location}` {fault}")]
    File {
        /// The file.
        location: String,
        /// What is wrong with it.
        fault: FileFault,
    },
    /// A tensor that was to be moved but cannot stand elsewhere.
    #[error("its data cannot stand outside its record")]
    Bound,
}

impl TensorFault {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::File { fault, .. } => fault.kind(),
            _ => ErrorKind::Unsupported,
        }
    }
}

/// A location as part of a message; one that cannot be shown is left out.
fn shown(location: &str) -> String {
    match location {
        "" => String::new(),
        _ => format!(": {location:?}"),
    }
}

/// What is wrong with a file of external data.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// Its path is not safe.
    #[error("is refused: its path {0}")]
    Unsafe(&'static str),
    /// It is not there.
    #[error("does not exist")]
    Missing,
    /// It is a symbolic link or behind one.
    #[error("is a symbolic link or behind one: replace the link by the file")]
    SymbolicLink,
    /// It has more than one name.
    #[error("is a hard link ({0} names for one file): replace it by a copy")]
    HardLink(u64),
    /// It is a folder, pipe, socket or device.
    #[error("is not a regular file")]
    NotRegular,
    /// The system refused to open it.
    #[error("cannot be opened: {0}")]
    Io(io::Error),
}

impl FileFault {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing => ErrorKind::NotFound,
            Self::Io(_) => ErrorKind::Io,
            _ => ErrorKind::Unsupported,
        }
    }
}
