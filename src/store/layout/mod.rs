//! An OCI image layout on disk (image-spec `image-layout.md`).
//!
//! ```text
//! oci-layout            {"imageLayoutVersion":"1.0.0"}
//! index.json            the entries: manifests by name, referrers without one
//! blobs/sha256/<hex>    content, mode 0444, never changed
//! ingest/               what is being written, blobs under their digest: the next push goes on
//! .collect.lock .content.lock .index.lock
//! ```
//!
//! Blobs enter by [`Layout::put_blob`], which verifies, and leave by [`crate::store::Storage::fetch`],
//! which verifies. Names lead only to what is there: [`Layout::tag_as`] asks for the manifest and
//! its blobs first. The store names its entries by full reference, `demo/mlp:v1`; the layouts of
//! other tools name them by tag. Files that are not of a layout are left alone.

mod blobs;
mod entries;
mod gc;
mod index_file;
mod ingest;
mod lock;
mod made;
mod open;
mod partial;
mod pipeline;
mod push;
mod repair;
mod scratch;
mod space;
mod storage;

pub use gc::{GcOptions, GcPlan};
pub use lock::Hold;
pub use made::Made;
pub use open::Layout;
pub use repair::RepairReport;
pub use scratch::Scratch;
pub use storage::FileReader;
