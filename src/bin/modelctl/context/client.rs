//! Options and environment → a client of registries.

use std::io::Read as _;

use modelctl::oci::{OciError, Reference};
use modelctl::transport::credentials::{Credential, Credentials};
use modelctl::transport::{Client, ClientCertificate, ClientOptions, Proxies, Secret};

use super::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;

/// The longest password that is read from standard input, in bytes.
const MAX_PASSWORD: u64 = 64 * 1024;

impl Context {
    /// Puts the default registry into a reference that names none.
    pub(crate) fn with_registry(
        &self,
        reference: Reference,
        options: &RegistryOptions,
    ) -> Result<Reference, Failure> {
        if reference.registry().is_some() {
            return Ok(reference);
        }
        let default = match &options.registry {
            Some(host) => Some(host.clone()),
            None => self.settings()?.registry,
        };
        match default {
            Some(host) => Ok(reference.with_registry(&host).map_err(OciError::from)?),
            None => Err(Failure::NoRegistry(reference)),
        }
    }

    /// Makes a client. A user name that is given with the options is for one registry only.
    pub(crate) fn client(
        &self,
        options: &RegistryOptions,
        registry: Option<&str>,
    ) -> Result<Client, Failure> {
        let mut credentials = self.credentials();
        if let (Some(registry), Some(username)) = (registry, &options.username) {
            let password = self.password(options)?.ok_or(Failure::NoPassword)?;
            let credential = Credential::password(username, password);
            credentials = credentials.give(registry, credential);
        }
        let ca_cert = match &options.ca_cert {
            Some(file) => Some(file.clone()),
            None => self.settings()?.ca_cert,
        };
        Ok(Client::new(ClientOptions {
            credentials,
            plain_http: options.plain_http,
            certificate_authorities: ca_cert.into_iter().collect(),
            client_certificate: certificate(options),
            proxies: self.proxies(),
            state: self.environment().state(),
            ..ClientOptions::default()
        })?)
    }

    /// Where credentials are kept: Docker's file, then Podman's.
    pub(crate) fn credentials(&self) -> Credentials {
        let environment = self.environment();
        let files = [environment.docker_config(), environment.podman_auth()];
        let none = Credentials::default().helper_folders(environment.search_path());
        files.into_iter().flatten().fold(none, Credentials::file)
    }

    /// The password from standard input or the environment, if one of them gives it.
    pub(crate) fn password(&self, options: &RegistryOptions) -> Result<Option<Secret>, Failure> {
        if !options.password_stdin {
            return Ok(self
                .environment()
                .text("MODELCTL_PASSWORD")
                .map(Secret::from));
        }
        let mut text = String::new();
        let read = std::io::stdin()
            .take(MAX_PASSWORD)
            .read_to_string(&mut text);
        read.map_err(Failure::file("/dev/stdin"))?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        Ok(Some(Secret::from(line.strip_suffix('\r').unwrap_or(line))))
    }

    /// Proxies as curl takes them from the environment: `http_proxy` in lower case only, since a
    /// CGI server sets the other one from a request.
    fn proxies(&self) -> Proxies {
        let first = |names: &[&str]| names.iter().find_map(|name| self.environment().text(name));
        let all = &["all_proxy", "ALL_PROXY"];
        let http = first(&["http_proxy"]).or_else(|| first(all));
        let https = first(&["https_proxy", "HTTPS_PROXY"]).or_else(|| first(all));
        Proxies {
            http: http.map(Secret::from),
            https: https.map(Secret::from),
            except: first(&["no_proxy", "NO_PROXY"]),
        }
    }
}

fn certificate(options: &RegistryOptions) -> Option<ClientCertificate> {
    Some(ClientCertificate {
        certificate: options.client_cert.clone()?,
        key: options.client_key.clone()?,
    })
}
