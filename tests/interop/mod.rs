//! Real registries, clients and runtimes as judges; `make interop` installs them.

mod copies;
mod corruption;
mod models;
pub(crate) mod programs;
mod transport;
mod uploads;
