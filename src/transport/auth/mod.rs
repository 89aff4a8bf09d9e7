//! Who we are to a registry: challenge and credential → the `Authorization` of the next request
//! (distribution, "Token Authentication"; RFC 7617).
//!
//! Invariants: only the registry itself is answered, never the place that it redirected to; a
//! credential goes to the registry that it was stored for and to the token server that this
//! registry names, if the realm's policy allows it; and nowhere else.

mod authorizer;
mod challenge;
mod realm;
mod scope;
mod token;

pub(crate) use authorizer::{Authorizer, Subject};
pub use challenge::{Bearer, Challenge, ChallengeError};
pub(crate) use scope::Scopes;
