//! Pushes a blob: POST for an upload session, then one PUT with the whole content (distribution-
//! spec, "Pushing a blob monolithically"). Where a body of that size is not accepted, the content
//! goes in chunks.
//!
//! One PUT is the form that every registry takes, and it is as resumable as any other: distribution
//! 3 and the embedded registry keep what arrived of a PUT that broke off, and `GET` of the session
//! says how much that is. So a broken upload goes on from there, also in another process
//! ([`Unfinished`](crate::transport::unfinished::Unfinished)), and begins anew where the registry
//! has forgotten the session or says something that cannot be.
//!
//! Invariant: what a registry says about an offset is only ever a hint. The digest of the whole is
//! checked by the registry at the end; if content that was sent in several parts is refused, it is
//! sent once more from the start.

mod blob;
mod habits;
mod left;
mod parts;
mod recovery;
mod session;

pub(crate) use habits::Habits;
pub(crate) use session::Offered;
#[cfg(fuzzing)]
pub(crate) use session::offset_after;
