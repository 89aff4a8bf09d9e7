//! Real registries, clients and runtimes as judges; `make interop` installs them.

mod access;
mod copies;
mod corruption;
mod cosign;
mod fronts;
mod models;
mod next_version;
mod nginx;
pub(crate) mod programs;
mod signing;
mod toxiproxy;
mod transport;
mod uploads;
