//! `modelctl-policy.toml`: what an artifact must be to be deployed, by repository.
//!
//! ```text
//! TOML ─ document (strict: an unknown member is an error) ─ Policy ─ rule_for(repository) ─► Rule
//! ```
//!
//! The first rule whose patterns match a repository decides; what no rule matches is refused. A rule
//! that asks for no signature must say so: leaving a member out never makes a policy weaker than it
//! reads. The document's JSON Schema is `schema/policy.v1.json`.

mod document;
mod error;
mod pattern;
mod repository;
mod rule;

pub use document::{Form, PolicyDocument, SmokeTest};
pub use error::PolicyError;
pub use pattern::Pattern;
pub use rule::{
    AttestationRule, Identity, ModelRule, OpsetRange, Policy, Rule, SignatureRule, Signer,
};

/// The largest policy that is read, in bytes.
pub const MAX_POLICY_SIZE: u64 = 1024 * 1024;

#[cfg(test)]
mod tests;
