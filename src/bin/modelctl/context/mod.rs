//! What commands need from outside: options, environment and settings file → the store, registries.

mod client;
mod clock;
mod environment;
mod found;
mod keys;
mod settings;

pub(crate) use environment::Environment;
pub(crate) use found::{Context, jobs_of};
pub(crate) use settings::Settings;
