//! Whose name a request may call the registry by.
//!
//! A web page can make its own host name lead to this machine (DNS rebinding, CVE-2024-28224) and
//! then ask for anything from the browser of whoever reads it. Such a request carries the page's
//! name in `Host`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::header;
use axum::http::request::Parts;

use crate::registry::RegistryOptions;

/// Which names are good.
#[derive(Debug)]
pub(crate) struct Hosts {
    names: Vec<String>,
    any: bool,
}

impl Hosts {
    /// The names that are good for a registry on an address.
    pub(crate) fn new(address: SocketAddr, options: &RegistryOptions) -> Self {
        Self {
            any: options.hosts.is_empty() && !address.ip().is_loopback(),
            names: options.hosts.clone(),
        }
    }

    /// Whether a request calls the registry by a good name.
    pub(crate) fn accept(&self, request: &Parts) -> bool {
        if self.any {
            return true;
        }
        let named = request.uri.host().or_else(|| {
            let text = request.headers.get(header::HOST)?.to_str().ok()?;
            Some(without_port(text))
        });
        // HTTP/1.0 has no `Host`, and no browser speaks it.
        named.is_none_or(|host| is_address(host) || self.knows(host))
    }

    fn knows(&self, host: &str) -> bool {
        let ours = self.names.iter().map(String::as_str).chain(["localhost"]);
        let host = host.trim_end_matches('.');
        ours.into_iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_address(host: &str) -> bool {
    let bracketed = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match bracketed {
        Some(inside) => inside.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn accepts(address: &str, hosts: &[&str], host: &str) -> bool {
        let mut options = RegistryOptions::new("unused");
        options.hosts = hosts.iter().map(|&name| name.to_owned()).collect();
        let request = Request::get("/v2/")
            .header(header::HOST, host)
            .body(())
            .unwrap();
        Hosts::new(address.parse().unwrap(), &options).accept(&request.into_parts().0)
    }

    /// Security row A28.
    #[test]
    fn foreign_host_names_are_refused_on_loopback() {
        for good in [
            "127.0.0.1:5000",
            "127.0.0.1",
            "[::1]:5000",
            "localhost",
            "LOCALHOST:5000",
        ] {
            assert!(accepts("127.0.0.1:5000", &[], good), "{good}");
        }
        for bad in [
            "evil.example",
            "evil.example:5000",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "",
        ] {
            assert!(!accepts("127.0.0.1:5000", &[], bad), "{bad}");
        }
        assert!(accepts(
            "127.0.0.1:5000",
            &["models.example"],
            "models.example"
        ));
    }

    #[test]
    fn any_name_is_good_on_other_addresses_until_names_are_listed() {
        assert!(accepts("0.0.0.0:5000", &[], "models.example:5000"));
        assert!(accepts(
            "0.0.0.0:5000",
            &["models.example"],
            "models.example:5000"
        ));
        assert!(!accepts(
            "0.0.0.0:5000",
            &["models.example"],
            "evil.example:5000"
        ));
    }
}
