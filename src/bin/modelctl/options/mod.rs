//! Options that several commands take.

mod content;
mod input;
mod registry;

pub(crate) use content::{ContentOptions, TestOptions, tolerance};
pub(crate) use input::InputArgs;
pub(crate) use registry::{RegistryOptions, host};
