//! Errors of this stage.

use std::fmt;

use crate::oci::Digest;
use crate::{Error, ErrorKind};

/// Why a copy failed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// One of the two stores failed.
    #[error("cannot copy `{blob}`: the {side} failed")]
    Side {
        /// What was being copied.
        blob: Digest,
        /// Which store failed.
        side: Side,
        /// Why.
        #[source]
        cause: Box<Error>,
    },
    /// The destination does not find a blob that it was sent twice.
    #[error(
        "the registry refuses manifest `{manifest}` for want of blob `{blob}`, which was pushed again a moment ago; try again later"
    )]
    Lost {
        /// The blob.
        blob: Digest,
        /// What needs it.
        manifest: Digest,
        /// What the registry said the last time.
        #[source]
        cause: Box<Error>,
    },
}

/// A side of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where blobs come from.
    Source,
    /// Where they go.
    Destination,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

impl Side {
    /// Names the side in an error: `.map_err(Side::Source.failed(&digest))`.
    pub(super) fn failed(self, blob: &Digest) -> impl FnOnce(Error) -> TransferError {
        let blob = *blob;
        move |error| TransferError::Side {
            blob,
            side: self,
            cause: Box::new(error),
        }
    }
}

impl TransferError {
    /// The blob that the destination lacks, if that is why it did not take a manifest.
    pub(crate) fn missing_blob(&self) -> Option<Digest> {
        match self {
            Self::Side { cause, side, .. } if *side == Side::Destination => cause.missing_blob(),
            Self::Side { .. } => None,
            Self::Lost { blob, .. } => Some(*blob),
        }
    }

    /// What to do next, where a registry's answer tells.
    pub(crate) fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Side { cause, .. } | Self::Lost { cause, .. } => cause.remedy(),
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Side { cause, .. } => cause.kind(),
            Self::Lost { .. } => ErrorKind::Unavailable,
        }
    }
}
