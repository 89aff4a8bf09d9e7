//! Where blobs rest: the traits, and the places on this machine.
//!
//! Bytes enter a store only with the descriptor that is expected of them, and leave it whole only
//! through a [`VerifyReader`]. [`Layout`] is a folder, [`Archive`] a tar of one, [`Memory`] neither;
//! a registry is the fourth place, in [`crate::transport`].

mod archive;
mod blocking;
mod consume;
mod document;
mod entry;
mod error;
mod free_space;
mod graph;
mod layout;
mod memory;
mod pieces;
mod progress;
pub(crate) mod read_ahead;
mod reserve;
mod size;
mod storage;
mod verify_reader;
mod write_back;

pub use archive::Archive;
pub(crate) use blocking::on_thread;
pub use consume::{Consumer, consume};
pub use document::{fetch_document, fetch_small};
pub use entry::{Entry, entry_name};
pub use error::{StoreError, error_of_read, read_error};
pub(crate) use free_space::free_space;
pub use graph::{Graph, Node};
pub use layout::{FileReader, GcOptions, GcPlan, Hold, Layout, Made, RepairReport, Scratch};
pub use memory::Memory;
pub(crate) use pieces::{Piece, Pieces};
pub use progress::{Progress, Reported, WithProgress};
pub(crate) use read_ahead::read_ahead;
pub(crate) use reserve::reserve;
pub use size::{Size, SizeError};
pub use storage::{BlobSource, Referrers, Storage, Tags};
pub use verify_reader::{VerifyReader, check_range};
pub(crate) use write_back::{WRITE_BACK, write_back};
