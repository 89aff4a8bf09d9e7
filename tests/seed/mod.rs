//! Pulls of the next version of a model: only what is not on this machine is fetched.

mod hostile;
mod moved;
mod version;
