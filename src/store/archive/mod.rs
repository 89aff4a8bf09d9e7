//! An OCI image layout in a tar, `oci-archive:FILE` as skopeo has it.
//!
//! Reading: one scan finds `index.json` and where each blob lies; blobs are then read at their
//! positions and verified like any other. Nothing is ever unpacked. Writing: `oci-layout`,
//! `index.json`, then the blobs sorted by digest, with fixed modes, owners and times, so that the
//! same artifact gives the same file; under a temporary name, then renamed.
//!
//! A hostile archive is bounded in what is read of it by the scan, and what a tar can hold beside
//! files and folders is refused by name.

mod inflate;
mod read;
mod scan;
mod write;

pub use read::Archive;
