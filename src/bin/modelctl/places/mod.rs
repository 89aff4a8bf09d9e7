//! Where artifacts are: what the user named → an open place → the artifact in it.

mod depot;
mod legacy;
mod locate;
mod spot;

pub(crate) use depot::Depot;
pub(crate) use legacy::{TagsOf, all_beside, copy_beside};
pub(crate) use spot::{Spot, is_bare};
