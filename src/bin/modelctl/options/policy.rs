//! The options of what goes by a policy, or by a lock file.

use std::path::PathBuf;

use clap::Args;
use modelctl::oci::Reference;

/// Under which name a policy is asked.
#[derive(Args, Default)]
pub(crate) struct PolicyOptions {
    /// Where the artifact will be, for the policy and the lock, if it is in no registry now
    #[arg(long, value_name = "REGISTRY/REPOSITORY")]
    pub(crate) r#as: Option<Reference>,
}

/// The lock that has to hold.
#[derive(Args, Default)]
pub(crate) struct LockedOption {
    /// Fail unless the artifact is the one in this lock file; the name of an entry stands for its
    /// reference then [default: modelctl.lock]
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "modelctl.lock"
    )]
    pub(crate) locked: Option<PathBuf>,
}

/// What has to hold before anything of an artifact is used.
#[derive(Args, Default)]
#[command(next_help_heading = "Admission")]
pub(crate) struct AdmissionOptions {
    /// Go on only if this policy allows the artifact; its smoke test is left to `gate`
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) location: PolicyOptions,
    #[command(flatten)]
    pub(crate) locked: LockedOption,
}
