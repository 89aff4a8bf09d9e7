//! The distribution API 1.1: requests → what a depot does → answers with exact headers.
//!
//! Names are typed before anything else happens ([`route`]), bodies are streamed with bounded
//! buffers, and everything that blocks runs on threads that may. Distribution-spec, "API".

mod blobs;
mod lists;
mod manifests;
mod receive;
mod referrers;
mod route;
mod router;
mod service;
mod uploads;

pub(super) use router::answer;
pub(super) use service::Service;
