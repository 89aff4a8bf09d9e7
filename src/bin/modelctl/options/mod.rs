//! Options that several commands take.

mod content;
mod input;
mod key;
mod policy;
mod registry;
mod signers;

pub(crate) use content::{ContentOptions, Pair, SignatureOptions, TestOptions, tolerance};
pub(crate) use input::InputArgs;
pub(crate) use key::PassphraseOptions;
pub(crate) use policy::{AdmissionOptions, LockedOption, PolicyOptions};
pub(crate) use registry::{RegistryOptions, host};
pub(crate) use signers::SignerOptions;
