//! What the longer reports look like as text; as JSON they are their serialised form.

mod diff;
mod findings;
mod inspect;
mod plan;
mod referring;
mod run;
mod signed;
mod transfer;

pub(crate) use diff::{Compared, DiffReport, Form};
pub(crate) use findings::FindingsReport;
pub(crate) use inspect::{InspectReport, Inspected};
pub(crate) use plan::{PackedReport, PlanReport};
pub(crate) use referring::{MAX_REFERRERS, Referring};
pub(crate) use run::{InferenceReport, Recorded, SmokeTestReport};
pub(crate) use signed::SignedReport;
pub(crate) use transfer::TransferReport;
