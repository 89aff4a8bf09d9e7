//! HTTP as the registry speaks it: what a client may do to a connection, and how heads, bodies and
//! answers are read and written. Nothing here knows what a blob is.

mod body;
mod connection;
mod head;
mod hosts;
mod range;
mod respond;

pub(crate) use body::{collect, discard, next, send};
pub(crate) use connection::Connection;
pub(crate) use head::Head;
pub(crate) use hosts::Hosts;
pub(crate) use range::{Wanted, chunk, wanted};
pub(crate) use respond::{CONTENT_DIGEST, Code, Failure, document, empty, set, value_of};
