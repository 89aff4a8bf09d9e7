//! Why a policy cannot be used: never a reason to go on without it.

use std::io;
use std::path::PathBuf;

use crate::trust::KeyError;
use crate::trust::keyless::TrustedRootError;

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The policy, or a key that it names.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than any that is read.
    #[error("the policy is larger than {} KiB", super::MAX_POLICY_SIZE >> 10)]
    TooLarge,
    /// It is not TOML, or has members that no policy has.
    #[error("the policy is malformed: {0}")]
    Malformed(String),
    /// The trusted root cannot be used.
    #[error("cannot use the trusted root `{file}` of the policy")]
    TrustedRoot {
        /// Its file.
        file: String,
        /// Why.
        #[source]
        cause: TrustedRootError,
    },
    /// A rule says something that cannot be meant.
    #[error("rule {rule} of the policy: {reason}")]
    Rule {
        /// Which one, from 1.
        rule: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A key cannot be used.
    #[error("rule {rule} of the policy: cannot use the key `{key}`")]
    Key {
        /// Which rule, from 1.
        rule: usize,
        /// The key's file, or `pem`.
        key: String,
        /// Why.
        #[source]
        cause: KeyError,
    },
}
