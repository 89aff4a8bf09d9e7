//! The embedded registry: the distribution API over a layout.

mod error;

pub use error::RegistryError;
