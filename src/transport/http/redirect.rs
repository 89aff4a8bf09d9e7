//! Where a request goes when a registry says that it should go elsewhere.
//!
//! reqwest follows nothing: at each hop we decide whether to go there at all and what may be sent
//! along. The rules are the same for redirects and for the `Location` of an upload.

use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use url::Url;

use super::answer::Answer;
use super::origin::Origin;
use super::shown_url::ShownUrl;
use crate::transport::TransportError;
use crate::transport::error::{Distrust, ProtocolFault};

/// Registries redirect once or twice: to a store, and there to a closer one.
const MAX_HOPS: usize = 10;

/// The hops of one request.
pub(crate) struct Trail<'a> {
    registry: &'a Origin,
    hops: Vec<Url>,
}

impl<'a> Trail<'a> {
    /// Starts at the request's own URL.
    pub(crate) fn new(registry: &'a Origin, start: &Url) -> Self {
        Self {
            registry,
            hops: vec![start.clone()],
        }
    }

    /// Where the request is now.
    pub(crate) fn here(&self) -> &Url {
        self.hops.last().expect("a trail has a start")
    }

    /// Goes where an answer says.
    pub(crate) fn follow(&mut self, answer: &Answer) -> Result<(), TransportError> {
        let next = location(answer, self.registry)?;
        let reason = if self.hops.contains(&next) {
            Distrust::Circle(ShownUrl::from(&next).to_string())
        } else if self.hops.len() > MAX_HOPS {
            Distrust::TooManyHops(MAX_HOPS)
        } else {
            self.hops.push(next);
            return Ok(());
        };
        Err(answer.distrusted(reason))
    }
}

/// Whether an answer sends a request elsewhere. A changing request is only repeated where the
/// status says that it is to be repeated as it is.
pub(crate) fn is_redirect(method: &Method, status: StatusCode) -> bool {
    match status.as_u16() {
        307 | 308 => true,
        301..=303 => method == Method::GET || method == Method::HEAD,
        _ => false,
    }
}

/// The `Location` of an answer, resolved and checked.
pub(crate) fn location(answer: &Answer, registry: &Origin) -> Result<Url, TransportError> {
    let Some(value) = answer.headers().get(LOCATION) else {
        return Err(answer.protocol(ProtocolFault::NoLocation));
    };
    let invalid = || answer.invalid_header("location", value);
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| invalid())?;
    let mut url = answer.url().join(text).map_err(|_| invalid())?;
    url.set_fragment(None);
    upgrade(answer.url(), &mut url);
    check(registry, answer.url(), &url).map_err(|reason| answer.distrusted(reason))?;
    Ok(url)
}

/// Puts a registry right that stands behind a TLS proxy and does not know it: it calls itself
/// `http://` in its own URLs. Nothing is sent unencrypted for that.
fn upgrade(from: &Url, to: &mut Url) {
    let same_host = from.host() == to.host() && (to.port().is_none() || to.port() == from.port());
    if from.scheme() == "https" && to.scheme() == "http" && same_host {
        let mut upgraded = to.clone();
        if upgraded.set_scheme("https").is_ok() && upgraded.set_port(from.port()).is_ok() {
            *to = upgraded;
        }
    }
}

/// Whether we go from one URL to another on behalf of a registry.
pub(crate) fn check(registry: &Origin, from: &Url, to: &Url) -> Result<(), Distrust> {
    let shown = ShownUrl::from(to).to_string();
    let Some(target) = Origin::of(to) else {
        return Err(Distrust::Scheme(shown));
    };
    if !to.username().is_empty() || to.password().is_some() {
        return Err(Distrust::User(shown));
    }
    if from.scheme() == "https" && !target.is_https() {
        return Err(Distrust::Downgrade(shown));
    }
    if target.reach() > registry.reach() {
        return Err(Distrust::Inward(shown));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(registry: &str, from: &str, to: &str) -> Result<(), Distrust> {
        let url = |text| Url::parse(text).unwrap();
        check(&Origin::of(&url(registry)).unwrap(), &url(from), &url(to))
    }

    /// Security rows A20, A21 and A25.
    #[test]
    fn hops_outwards_are_followed_and_hops_inwards_are_not() {
        let public = "https://registry.example/";
        for to in [
            "https://cdn.example/x?sig=1",
            "https://registry.example:8443/",
        ] {
            assert_eq!(go(public, public, to), Ok(()));
        }
        for to in [
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest",
            "https://10.0.0.1/",
            "https://localhost/",
        ] {
            assert!(
                matches!(go(public, public, to), Err(Distrust::Inward(_))),
                "{to}"
            );
        }
        assert_eq!(
            go(public, public, "http://cdn.example/"),
            Err(Distrust::Downgrade("http://cdn.example/".to_owned()))
        );
        assert_eq!(
            go(public, public, "file:///etc/passwd"),
            Err(Distrust::Scheme("file:///etc/passwd".to_owned()))
        );
        assert_eq!(
            go(public, public, "https://canary@cdn.example/"),
            Err(Distrust::User("https://cdn.example/".to_owned()))
        );
    }

    /// Quirk Q06.
    #[test]
    fn registry_behind_a_tls_proxy_is_put_right() {
        for (from, to, expected) in [
            ("https://h/v2/", "http://h/u?a=b", "https://h/u?a=b"),
            ("https://h:8443/v2/", "http://h:8443/u", "https://h:8443/u"),
            ("https://h:8443/v2/", "http://h/u", "https://h:8443/u"),
            ("https://h/v2/", "http://h:8080/u", "http://h:8080/u"),
            ("https://h/v2/", "http://g/u", "http://g/u"),
            ("http://h/v2/", "http://h/u", "http://h/u"),
        ] {
            let mut url = Url::parse(to).unwrap();
            upgrade(&Url::parse(from).unwrap(), &mut url);
            assert_eq!(url.as_str(), expected);
        }
    }

    #[test]
    fn an_inner_registry_may_send_us_to_its_neighbours() {
        assert_eq!(
            go(
                "http://127.0.0.1:5000/",
                "http://127.0.0.1:5000/",
                "http://[::1]:1/"
            ),
            Ok(())
        );
        assert_eq!(
            go(
                "https://10.0.0.1/",
                "https://10.0.0.1/",
                "https://192.168.0.1/"
            ),
            Ok(())
        );
        let metadata = "https://169.254.169.254/";
        assert!(go("https://10.0.0.1/", "https://10.0.0.1/", metadata).is_err());
    }
}
