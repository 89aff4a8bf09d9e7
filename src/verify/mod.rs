//! Checks of artifacts, layouts and folders: findings, not the first fault.

mod error;

pub use error::VerifyError;
