//! The distribution API 1.1: requests → what a depot does → answers with exact headers.
//!
//! Names are typed before anything else happens ([`route`]), bodies are streamed with bounded
//! buffers, and everything that blocks runs on threads that may. Distribution-spec, "API".

mod blobs;
mod body;
mod manifests;
mod query;
mod range;
mod receive;
mod referrers;
mod respond;
mod route;
mod router;
mod tags;
mod uploads;

pub(super) use router::{Service, answer};
