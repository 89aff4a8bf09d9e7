//! Layouts and archives: one contract for every store, and what each adds to it.

mod archive;
pub(crate) mod contract;
mod gc;
mod layout;
mod programs;
mod repair;
