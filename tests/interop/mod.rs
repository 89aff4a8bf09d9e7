//! Real registries, clients and runtimes as judges; `make interop` installs them.

mod copies;
mod corruption;
mod models;
mod next_version;
pub(crate) mod programs;
mod transport;
mod uploads;
