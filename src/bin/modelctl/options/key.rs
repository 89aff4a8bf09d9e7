//! The option of what signs with a key.

use std::os::fd::RawFd;

use clap::Args;

/// Where a private key's passphrase comes from. The key's own option differs by command.
#[derive(Args, Default)]
pub(crate) struct PassphraseOptions {
    /// Read the passphrase of the key from this file descriptor, up to the end of a line; else it is
    /// COSIGN_PASSWORD or MODELCTL_KEY_PASSWORD, else it is asked for
    #[arg(long, value_name = "FD", value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) passphrase_fd: Option<RawFd>,
}
