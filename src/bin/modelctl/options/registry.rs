//! The options of every command that talks to a registry.

use std::path::PathBuf;

use clap::Args;

/// How registries are reached, and as whom.
#[derive(Args, Default)]
#[command(next_help_heading = "Registry options")]
pub(crate) struct RegistryOptions {
    /// Registry of references that name none, such as `registry.example:5000`
    #[arg(
        long,
        value_name = "HOST",
        env = "MODELCTL_REGISTRY",
        hide_env_values = true
    )]
    pub(crate) registry: Option<String>,
    /// Talk HTTP without TLS (localhost always may)
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// Trust the certificates in this PEM file as well
    #[arg(
        long,
        value_name = "FILE",
        env = "MODELCTL_CA_CERT",
        hide_env_values = true
    )]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Show this certificate (PEM) to the registry, and to no other host
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,
    /// Private key (PEM) of --client-cert
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// User name; the password comes from --password-stdin or MODELCTL_PASSWORD
    #[arg(
        long,
        short,
        value_name = "NAME",
        env = "MODELCTL_USERNAME",
        hide_env_values = true
    )]
    pub(crate) username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,
}
