//! One file for each command: arguments → options → a call of the library → a report.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod man;
