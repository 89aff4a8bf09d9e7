//! What the longer reports look like as text; as JSON they are their serialised form.

mod inspect;
mod transfer;

pub(crate) use inspect::{InspectReport, Inspected};
pub(crate) use transfer::TransferReport;
