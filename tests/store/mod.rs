//! Layouts and archives: one contract for every store, and what each adds to it.

mod archive;
pub(crate) mod contract;
mod faults;
mod gc;
mod hostile_archive;
mod layout;
mod made;
mod partial;
mod programs;
mod repair;
mod source;
