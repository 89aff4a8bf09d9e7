//! Where credentials are kept: what the caller gives, the files of Docker and Podman, and the
//! helper programs that these files name. Registry and repository → credential.
//!
//! Invariants: a credential is found only under the name of the registry that it was stored for;
//! a helper has a time-out and its answer a limit; files are written for their owner only.

mod auth_file;
mod credential;
mod error;
mod helper;
mod key;
mod sources;
mod store;

pub use credential::Credential;
pub use error::CredentialError;
pub use sources::Credentials;
pub use store::StoredIn;
