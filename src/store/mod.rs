//! Where blobs rest: the traits, and the places on this machine.
//!
//! Bytes enter a store only with the descriptor that is expected of them, and leave it whole only
//! through a [`VerifyReader`]. [`Layout`] is a folder, [`Archive`] a tar of one, [`Memory`] neither;
//! a registry is the fourth place, in [`crate::transport`].

mod blocking;
mod document;
mod entries;
mod error;
mod graph;
mod index_file;
mod ingest;
mod layout;
mod layout_storage;
mod lock;
mod memory;
mod storage;
mod verify_reader;

pub use document::{fetch_document, fetch_small};
pub use entries::{Entry, entry_name};
pub use error::{StoreError, error_of_read, read_error};
pub use graph::{Graph, Node};
pub use layout::Layout;
pub use layout_storage::FileReader;
pub use lock::Hold;
pub use memory::Memory;
pub use storage::{BlobSource, Referrers, Storage, Tags};
pub use verify_reader::{VerifyReader, check_range};
