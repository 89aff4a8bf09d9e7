//! The pools of connections: one to the registry, which may be shown a client certificate, and one
//! to everybody else, who may not. Where no TLS is spoken, one to all: reading the certificate
//! authorities of the system would be a good part of a short command.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::OnceLock;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, ClientBuilder, Identity, NoProxy, Proxy, redirect};
use url::Url;
use zeroize::Zeroizing;

use crate::transport::TransportError;
use crate::transport::options::{ClientCertificate, ClientOptions, Proxies, Timeouts};
use crate::transport::secret::Secret;

const USER_AGENT: &str = concat!("modelctl/", env!("CARGO_PKG_VERSION"));

/// Connections, and what goes with every request to the registry.
pub(crate) struct Connections {
    /// Trusts nobody, and is for requests without TLS.
    plain: reqwest::Client,
    home: OnceLock<reqwest::Client>,
    away: OnceLock<reqwest::Client>,
    recipe: Recipe,
    headers: HeaderMap,
    pub(crate) timeouts: Timeouts,
}

/// How a pool of connections is made.
struct Recipe {
    authorities: Vec<Certificate>,
    /// What the registry alone is shown.
    identity: Option<Identity>,
    proxies: Vec<Proxy>,
    /// Whether a request without TLS goes through a proxy with it.
    has_secure_proxy: bool,
    addresses: BTreeMap<String, Vec<IpAddr>>,
    timeouts: Timeouts,
}

impl Connections {
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, TransportError> {
        choose_crypto();
        let recipe = Recipe::new(options)?;
        let connections = Self {
            plain: unless_unusable(recipe.base().tls_certs_only([]).build())?,
            home: OnceLock::new(),
            away: OnceLock::new(),
            headers: headers(&options.headers)?,
            timeouts: options.timeouts,
            recipe,
        };
        // What the caller gave is found to be unusable now, not with the first request.
        let recipe = &connections.recipe;
        if recipe.identity.is_some() || !recipe.authorities.is_empty() {
            connections.secure(true)?;
        }
        Ok(connections)
    }

    /// The connections to the host of a URL, and the headers that are sent to it: the caller's own
    /// headers and certificate only if it is the registry that the caller asked for.
    pub(crate) fn to(
        &self,
        url: &Url,
        is_registry: bool,
    ) -> Result<(&reqwest::Client, HeaderMap), TransportError> {
        let client = match url.scheme() {
            "http" if !self.recipe.has_secure_proxy => &self.plain,
            _ => self.secure(is_registry)?,
        };
        let headers = match is_registry {
            true => self.headers.clone(),
            false => HeaderMap::new(),
        };
        Ok((client, headers))
    }

    /// The connections with TLS, made when they are first needed.
    fn secure(&self, is_registry: bool) -> Result<&reqwest::Client, TransportError> {
        let identity = self.recipe.identity.as_ref().filter(|_| is_registry);
        let pool = match identity {
            Some(_) => &self.home,
            None => &self.away,
        };
        if let Some(client) = pool.get() {
            return Ok(client);
        }
        let made = self.recipe.build(identity)?;
        // Whoever was faster has made the same.
        Ok(pool.get_or_init(|| made))
    }
}

/// Settles on ring where the program has not chosen already: reqwest takes the process-wide choice
/// and panics without one.
fn choose_crypto() {
    // An error means that another thread was faster, with the same choice or the program's own.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Recipe {
    fn new(options: &ClientOptions) -> Result<Self, TransportError> {
        let mut authorities = Vec::new();
        for path in &options.certificate_authorities {
            let found = Certificate::from_pem_bundle(&read(path)?)
                .map_err(|error| unusable(path.display(), &error))?;
            if found.is_empty() {
                return Err(unusable(path.display(), &"expected a certificate in PEM"));
            }
            authorities.extend(found);
        }
        let identity = options.client_certificate.as_ref().map(identity);
        let identity = identity.transpose()?;
        Ok(Self {
            proxies: proxies(&options.proxies, identity.is_some())?,
            has_secure_proxy: options.proxies.http.as_ref().is_some_and(is_secure),
            authorities,
            identity,
            addresses: options.addresses.clone(),
            timeouts: options.timeouts,
        })
    }

    fn build(&self, identity: Option<&Identity>) -> Result<reqwest::Client, TransportError> {
        let builder = || match identity {
            Some(identity) => self.base().identity(identity.clone()),
            None => self.base(),
        };
        let authorities = || self.authorities.clone();
        let merged = builder().tls_certs_merge(authorities()).build();
        // A machine without any certificate authority may still trust those that were given.
        unless_unusable(merged.or_else(|_| builder().tls_certs_only(authorities()).build()))
    }

    fn base(&self) -> ClientBuilder {
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .no_proxy()
            .connect_timeout(self.timeouts.connect);
        for (host, addresses) in &self.addresses {
            // The port of the URL is used, whatever is said here.
            let addresses: Vec<SocketAddr> = addresses.iter().map(|ip| (*ip, 0).into()).collect();
            builder = builder.resolve_to_addrs(host, &addresses);
        }
        for proxy in self.proxies.clone() {
            builder = builder.proxy(proxy);
        }
        builder
    }
}

fn unless_unusable(
    built: reqwest::Result<reqwest::Client>,
) -> Result<reqwest::Client, TransportError> {
    built.map_err(|error| unusable("TLS", &error))
}

/// Whether a proxy is itself reached by TLS.
fn is_secure(proxy: &Secret) -> bool {
    proxy.expose().to_ascii_lowercase().starts_with("https:")
}

fn identity(certificate: &ClientCertificate) -> Result<Identity, TransportError> {
    let mut pem = Zeroizing::new(read(&certificate.certificate)?);
    pem.push(b'\n');
    pem.extend(Zeroizing::new(read(&certificate.key)?).iter());
    Identity::from_pem(&pem).map_err(|error| unusable(certificate.certificate.display(), &error))
}

fn proxies(proxies: &Proxies, has_identity: bool) -> Result<Vec<Proxy>, TransportError> {
    // With curl and the rest of the world, this means every host; reqwest takes it for names only.
    if proxies.except.as_deref().map(str::trim) == Some("*") {
        return Ok(Vec::new());
    }
    let except = proxies.except.as_deref().and_then(NoProxy::from_string);
    let mut list = Vec::new();
    for (of_https, url) in [(false, &proxies.http), (true, &proxies.https)] {
        let Some(url) = url else { continue };
        // reqwest would show the client certificate to the proxy as well.
        if has_identity && is_secure(url) {
            return Err(unusable(
                "client certificate",
                &"cannot be used through a proxy that is itself reached by https",
            ));
        }
        let proxy = if of_https {
            Proxy::https(url.expose())
        } else {
            Proxy::http(url.expose())
        };
        let proxy = proxy.map_err(|_| unusable("proxy", &"not a valid URL"))?;
        list.push(proxy.no_proxy(except.clone()));
    }
    Ok(list)
}

fn headers(pairs: &[(String, Secret)]) -> Result<HeaderMap, TransportError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let invalid = || unusable(format!("header {name:?}"), &"not a valid HTTP header");
        let header = HeaderName::try_from(name).map_err(|_| invalid())?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| invalid())?;
        value.set_sensitive(true);
        headers.append(header, value);
    }
    Ok(headers)
}

fn read(path: &Path) -> Result<Vec<u8>, TransportError> {
    std::fs::read(path).map_err(|cause| TransportError::Io {
        path: path.to_owned(),
        cause,
    })
}

fn unusable(subject: impl ToString, reason: &dyn std::fmt::Display) -> TransportError {
    TransportError::Unusable {
        subject: subject.to_string(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a request to a URL had the certificate authorities read.
    fn speaks_tls(options: &ClientOptions, url: &str) -> bool {
        let connections = Connections::new(options).unwrap();
        connections.to(&url.parse().unwrap(), true).unwrap();
        connections.away.get().is_some()
    }

    #[test]
    fn authorities_are_read_only_where_tls_is_spoken() {
        let direct = ClientOptions::default();
        assert!(!speaks_tls(&direct, "http://127.0.0.1:5000/v2/"));
        assert!(speaks_tls(&direct, "https://registry.example/v2/"));
        for (proxy, spoken) in [("http://127.0.0.1:1", false), ("HTTPS://127.0.0.1:1", true)] {
            let http = Some(Secret::from(proxy.to_owned()));
            let proxies = Proxies {
                http,
                ..Proxies::default()
            };
            let options = ClientOptions {
                proxies,
                ..ClientOptions::default()
            };
            assert_eq!(speaks_tls(&options, "http://10.0.0.1/v2/"), spoken);
        }
    }
}
