//! Origins: what a credential is bound to, and how far inside the network a host is.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Scheme, host and port (RFC 6454). Two URLs share credentials only if all three are equal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    https: bool,
    host: Host<String>,
    port: u16,
}

impl Origin {
    /// The origin of an `http` or `https` URL; nothing for any other.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self {
            https,
            host: url.host()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }

    /// Whether what is sent there is encrypted.
    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// How far inside the network the host is.
    pub(crate) fn reach(&self) -> Reach {
        Reach::of(&self.host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How far inside the network a host is, as far as its name or address tells. A server may send
/// us outwards, never further inside than where it is itself: what only this machine or its
/// network can reach is not the server's to name (server-side request forgery).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Any name, and any address that is routed.
    Public,
    /// An address of a private network.
    Private,
    /// An address of the link, where clouds keep their metadata servers.
    Link,
    /// This machine.
    Loopback,
}

impl Reach {
    fn of(host: &Host<String>) -> Self {
        match host {
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                let local = name.rsplit('.').next() == Some("localhost");
                if local { Self::Loopback } else { Self::Public }
            }
            Host::Ipv4(address) => Self::of_v4(*address),
            Host::Ipv6(address) => Self::of_v6(*address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [first, second, ..] = address.octets();
        if address.is_loopback() || first == 0 {
            Self::Loopback
        } else if address.is_link_local() || address.is_multicast() || address.is_broadcast() {
            Self::Link
        } else if address.is_private() || (first == 100 && (64..128).contains(&second)) {
            Self::Private
        } else {
            Self::Public
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        // `::ffff:a.b.c.d`, `::a.b.c.d` and NAT64's `64:ff9b::a.b.c.d` are the address they hold.
        if address.is_loopback() || address.is_unspecified() {
            return Self::Loopback;
        }
        let inner = match address.segments() {
            [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                Some((high, low))
            }
            _ => None,
        };
        if let Some((high, low)) = inner {
            return Self::of_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
        }
        if address.is_unicast_link_local() || address.is_multicast() {
            Self::Link
        } else if address.is_unique_local() {
            Self::Private
        } else {
            Self::Public
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::of(&Url::parse(url).unwrap()).unwrap()
    }

    #[test]
    fn origins_differ_in_scheme_host_and_port() {
        assert_eq!(origin("https://h/a"), origin("https://H:443/b?c"));
        for other in ["http://h/", "https://h:444/", "https://g/", "https://h./"] {
            assert_ne!(origin("https://h/"), origin(other));
        }
        assert_eq!(Origin::of(&Url::parse("file:///x").unwrap()), None);
    }

    /// Security row A25.
    #[test]
    fn disguised_addresses_are_what_they_are() {
        for (url, reach) in [
            ("http://localhost/", Reach::Loopback),
            ("http://a.localhost./", Reach::Loopback),
            ("http://127.9.9.9/", Reach::Loopback),
            ("http://0x7f.1/", Reach::Loopback),
            ("http://2130706433/", Reach::Loopback),
            ("http://0/", Reach::Loopback),
            ("http://[::1]/", Reach::Loopback),
            ("http://[::ffff:127.0.0.1]/", Reach::Loopback),
            ("http://[::7f00:1]/", Reach::Loopback),
            ("http://[64:ff9b::7f00:1]/", Reach::Loopback),
            ("http://169.254.169.254/", Reach::Link),
            ("http://[::ffff:169.254.169.254]/", Reach::Link),
            ("http://[fe80::1]/", Reach::Link),
            ("http://10.1.2.3/", Reach::Private),
            ("http://192.168.0.1/", Reach::Private),
            ("http://100.100.0.1/", Reach::Private),
            ("http://[fd00::1]/", Reach::Private),
            ("http://8.8.8.8/", Reach::Public),
            ("http://[2606:4700::1111]/", Reach::Public),
            ("http://registry.example/", Reach::Public),
        ] {
            assert_eq!(origin(url).reach(), reach, "{url}");
        }
    }
}
