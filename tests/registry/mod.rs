//! The embedded registry: its API, its disk, and what it does when it is killed.

mod blobs;
mod conformance;
mod crash;
mod http;
mod manifests;
mod store;
mod uploads;
