//! The embedded registry: its API, its disk, and what it does when it is killed.

mod access;
mod blobs;
mod collect;
mod conformance;
mod crash;
mod http;
mod manifests;
mod observe;
mod program;
mod quota;
mod store;
mod tls;
mod uploads;
