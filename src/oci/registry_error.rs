//! What a registry says when it refuses (distribution-spec, "Error Codes"): the types of
//! `oci-client`, under the names of the specification.
//!
//! An unknown code is kept as [`ErrorCode::Other`]. A body need not be such a document at all.

pub use oci_client::errors::{
    OciEnvelope as ErrorEnvelope, OciError as ErrorEntry, OciErrorCode as ErrorCode,
};
