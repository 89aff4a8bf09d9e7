//! Models built byte by byte, and what the reader makes of them.

mod build;
mod check;
mod hostile;
mod hostile_external;
mod large;
mod probe;
mod read;
mod rewrite;
mod scope;
