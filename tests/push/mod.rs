//! Pushes: what need not be sent, and what a registry loses on the way.

mod again;
mod cache;
mod flow;
mod missing;
mod mounts;
