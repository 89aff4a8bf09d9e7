//! The pools of connections: one to the registry, which may be shown a client certificate, and one
//! to everybody else, who may not.

use std::net::SocketAddr;
use std::path::Path;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, ClientBuilder, Identity, NoProxy, Proxy, redirect};
use zeroize::Zeroizing;

use crate::transport::TransportError;
use crate::transport::options::{ClientCertificate, ClientOptions, Proxies, Timeouts};
use crate::transport::secret::Secret;

const USER_AGENT: &str = concat!("modelctl/", env!("CARGO_PKG_VERSION"));

/// Connections, and what goes with every request to the registry.
pub(crate) struct Connections {
    home: reqwest::Client,
    away: reqwest::Client,
    headers: HeaderMap,
    pub(crate) timeouts: Timeouts,
}

impl Connections {
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, TransportError> {
        choose_crypto();
        let away = build(options, None)?;
        let home = match &options.client_certificate {
            Some(certificate) => build(options, Some(certificate))?,
            None => away.clone(),
        };
        Ok(Self {
            home,
            away,
            headers: headers(&options.headers)?,
            timeouts: options.timeouts,
        })
    }

    /// The connections to a host, and the headers that are sent to it: the caller's own headers
    /// and certificate only if it is the registry that the caller asked for.
    pub(crate) fn to(&self, is_registry: bool) -> (&reqwest::Client, HeaderMap) {
        if is_registry {
            (&self.home, self.headers.clone())
        } else {
            (&self.away, HeaderMap::new())
        }
    }
}

/// Settles on ring where the program has not chosen already: reqwest takes the process-wide choice
/// and panics without one.
fn choose_crypto() {
    // An error means that another thread was faster, with the same choice or the program's own.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn build(
    options: &ClientOptions,
    certificate: Option<&ClientCertificate>,
) -> Result<reqwest::Client, TransportError> {
    let mut authorities = Vec::new();
    for path in &options.certificate_authorities {
        let found = Certificate::from_pem_bundle(&read(path)?)
            .map_err(|error| unusable(path.display(), &error))?;
        if found.is_empty() {
            return Err(unusable(path.display(), &"expected a certificate in PEM"));
        }
        authorities.extend(found);
    }
    let identity = certificate.map(identity).transpose()?;
    let proxies = proxies(&options.proxies, identity.is_some())?;
    let builder = || {
        let mut builder = base(options);
        for proxy in proxies.clone() {
            builder = builder.proxy(proxy);
        }
        match identity.clone() {
            Some(identity) => builder.identity(identity),
            None => builder,
        }
    };
    let merged = builder().tls_certs_merge(authorities.clone()).build();
    // A machine without any certificate authority cannot speak HTTPS, but can still speak HTTP.
    merged
        .or_else(|_| builder().tls_certs_only(authorities).build())
        .map_err(|error| unusable("TLS", &error))
}

fn base(options: &ClientOptions) -> ClientBuilder {
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        .no_proxy()
        .connect_timeout(options.timeouts.connect);
    for (host, addresses) in &options.addresses {
        // The port of the URL is used, whatever is said here.
        let addresses: Vec<SocketAddr> = addresses.iter().map(|ip| (*ip, 0).into()).collect();
        builder = builder.resolve_to_addrs(host, &addresses);
    }
    builder
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
        if has_identity && url.expose().to_ascii_lowercase().starts_with("https:") {
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
