//! Fixtures that several tests share.

pub(crate) mod artifact;
pub(crate) mod certificates;
pub(crate) mod downloads;
pub(crate) mod embedded;
pub(crate) mod env;
pub(crate) mod folder;
pub(crate) mod graphs;
pub(crate) mod handmade;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod models;
pub(crate) mod parts;
pub(crate) mod plans;
pub(crate) mod proxy;
pub(crate) mod pty;
pub(crate) mod runtime;
pub(crate) mod scripted;
pub(crate) mod signed;
pub(crate) mod signing;
pub(crate) mod sigstore;
pub(crate) mod tokens;
pub(crate) mod transport;
