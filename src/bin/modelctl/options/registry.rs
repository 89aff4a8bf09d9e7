//! The options of every command that talks to a registry.

use std::path::PathBuf;

use clap::Args;
use modelctl::oci::Reference;

/// How registries are reached, and as whom.
#[derive(Args, Default)]
#[command(next_help_heading = "Registry options")]
pub(crate) struct RegistryOptions {
    /// Registry of references that name none, such as `registry.example:5000`
    #[arg(
        long,
        value_name = "HOST",
        env = "MODELCTL_REGISTRY",
        hide_env_values = true,
        value_parser = host
    )]
    pub(crate) registry: Option<String>,
    /// Talk HTTP without TLS, as with localhost anyway; `=false` talks TLS to localhost, too
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(crate) plain_http: Option<bool>,
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

/// Parses what can stand before a repository: `host` or `host:port`.
pub(crate) fn host(text: &str) -> Result<String, String> {
    let reference = format!("{text}/m").parse::<Reference>();
    let registry = reference
        .ok()
        .and_then(|reference| reference.registry().map(str::to_owned));
    registry.filter(|registry| registry == text).ok_or_else(|| {
        "expected a registry, `host` with a dot, `host:port` or `localhost`".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_urls_and_repositories() {
        for good in [
            "localhost",
            "registry.example",
            "127.0.0.1:5000",
            "[::1]:5000",
        ] {
            assert_eq!(host(good), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "registry",
            "https://registry.example",
            "registry.example/m",
            "h.x:x",
        ] {
            assert!(host(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
