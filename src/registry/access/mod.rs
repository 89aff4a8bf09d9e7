//! Who may do what: users of an htpasswd file, and the rights to read and to write apart.
//!
//! `Authorization` of a request → a user, or nobody → yes, or a refusal that says why. Passwords
//! are checked against bcrypt hashes only, by a bounded number of threads, and what was found right
//! is remembered, so that a pull of a thousand blobs costs one check.

mod htpasswd;
mod policy;
mod verifier;

#[cfg(fuzzing)]
pub(crate) use htpasswd::Users;
pub(super) use policy::{Need, Policy};
