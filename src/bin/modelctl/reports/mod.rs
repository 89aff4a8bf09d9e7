//! What the longer reports look like as text; as JSON they are their serialised form.

mod inspect;
mod plan;
mod transfer;

pub(crate) use inspect::{InspectReport, Inspected};
pub(crate) use plan::{PackedReport, PlanReport};
pub(crate) use transfer::TransferReport;
