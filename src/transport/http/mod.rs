//! HTTP as registries need it: request → answer, over redirects, challenges and broken connections.
//!
//! Invariants: nothing that belongs to the registry is sent to another origin; no body is read
//! without a limit or held in memory if it is a blob; no blocking read runs on the reactor.

mod answer;
mod connections;
mod fault;
mod feed;
mod hop;
mod host;
mod lanes;
mod origin;
mod redirect;
mod request;
mod session;
mod shown_url;

pub(crate) use answer::Answer;
pub(crate) use connections::Connections;
pub(crate) use hop::Hop;
pub(crate) use host::RegistryHost;
pub(crate) use lanes::{Lane, Lanes, PART_BUFFER, Splitting};
pub(crate) use origin::Origin;
pub(crate) use redirect::location;
pub(crate) use request::{Body, Part, Request};
pub(crate) use session::{Session, Shared};
pub(crate) use shown_url::ShownUrl;
