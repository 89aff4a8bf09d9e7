//! What the registry keeps on disk: an OCI image layout, and which repository may see what of it.
//!
//! typed names → files and small records. Everything here blocks and is called on threads that
//! may. Nothing is visible under its final name before it is whole and on disk, and a restart
//! finds everything that was ever acknowledged.
//!
//! ```text
//! oci-layout  index.json                     the layout; every manifest is in the index
//! blobs/<algorithm>/<hex>                    each content once, whoever pushed it
//! registry/lock                              held while a process serves the store
//! registry/scratch/                          half of something; emptied at start
//! registry/repositories/<name>/
//!   _blobs/<algorithm>/<hex>                 empty: the repository has this blob
//!   _manifests/<algorithm>/<hex>             the media type of a manifest it has
//!   _tags/<tag>                              the digest that a tag leads to
//!   _referrers/<algorithm>/<hex>/<algorithm>-<hex>   the descriptor of a referrer of that subject
//! ```
//!
//! A delete removes the record of one repository, so that others keep theirs; the content goes
//! when garbage is collected and no manifest needs it any more. While a process serves the store only
//! that process collects.

mod adoption;
mod blobs;
mod catalogue;
mod collect;
mod files;
mod ledger;
mod manifests;
mod presence;
mod referrers;
mod repository;
mod root;
mod sessions;
mod tags;
mod upload;

pub(super) use collect::Collected;
pub(super) use manifests::StoredManifest;
pub(super) use repository::Repository;
pub(super) use root::Depot;
pub(super) use sessions::{Lease, Session, Sessions, Turn};
pub(super) use upload::Upload;
