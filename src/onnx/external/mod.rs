//! External data: hostile locations → open regular files below the model's folder.

pub(crate) mod location;
mod open;

pub use open::open;
pub(crate) use open::open_file;
