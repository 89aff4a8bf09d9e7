//! Which token servers a registry may send us to. Credentials go there, so the registry's word
//! alone is not enough (CVE-2026-48978, CVE-2020-15157).
//!
//! Another public host is allowed: Docker Hub's token server is one.

use url::Url;

use crate::transport::error::Distrust;
use crate::transport::http::{Origin, ShownUrl};

/// Longer than any token server's URL.
const MAX_LENGTH: usize = 2048;

/// The URL of the token server that a registry names, if we go there.
pub(crate) fn check(realm: &str, registry: &Origin) -> Result<Url, Distrust> {
    if realm.len() > MAX_LENGTH {
        let reason = format!("longer than {MAX_LENGTH} bytes");
        return Err(Distrust::Realm(reason));
    }
    let mut url = Url::parse(realm).map_err(|error| Distrust::Realm(error.to_string()))?;
    url.set_fragment(None);
    let shown = ShownUrl::from(&url).to_string();
    let Some(origin) = Origin::of(&url) else {
        return Err(Distrust::Scheme(shown));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Distrust::User(shown));
    }
    if registry.is_https() && !origin.is_https() {
        return Err(Distrust::Downgrade(shown));
    }
    if origin.reach() > registry.reach() {
        return Err(Distrust::Inward(shown));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm(registry: &str, realm: &str) -> Result<String, String> {
        let registry = Origin::of(&Url::parse(registry).unwrap()).unwrap();
        let checked = check(realm, &registry);
        checked.map(String::from).map_err(|error| error.to_string())
    }

    /// Security row A22.
    #[test]
    fn realms_that_steal_credentials_are_refused() {
        for (url, message) in [
            (
                "https://169.254.169.254/token",
                "refusing to go to the internal address `https://169.254.169.254/token`",
            ),
            (
                "https://localhost/token",
                "refusing to go to the internal address `https://localhost/token`",
            ),
            (
                "https://[::ffff:10.0.0.1]/",
                "refusing to go to the internal address `https://[::ffff:a00:1]/`",
            ),
            (
                "http://auth.example/token?canary=1",
                "refusing to downgrade to plain HTTP at `http://auth.example/token?canary=…`",
            ),
            (
                "file:///etc/passwd",
                "refusing to go to `file:///etc/passwd`: only http and https are followed",
            ),
            (
                "gopher://auth.example/",
                "refusing to go to `gopher://auth.example/`: only http and https are followed",
            ),
            (
                "https://user:canary@auth.example/",
                "refusing to go to `https://auth.example/` with the user name in the URL",
            ),
            (
                "",
                "the token server's URL is invalid: relative URL without a base",
            ),
            (
                "/token",
                "the token server's URL is invalid: relative URL without a base",
            ),
            ("https://", "the token server's URL is invalid: empty host"),
        ] {
            assert_eq!(
                realm("https://registry.example/", url),
                Err(message.to_owned())
            );
        }
        let long = format!("https://auth.example/{}", "x".repeat(1 << 20));
        assert_eq!(
            realm("https://registry.example/", &long),
            Err("the token server's URL is invalid: longer than 2048 bytes".to_owned())
        );
    }

    #[test]
    fn ordinary_realms_are_allowed() {
        for (registry, url) in [
            (
                "https://registry-1.docker.io/",
                "https://auth.docker.io/token",
            ),
            ("https://10.0.0.1/", "https://10.0.0.2/token"),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5001/token"),
            ("http://127.0.0.1:5000/", "https://auth.example/token"),
        ] {
            assert_eq!(realm(registry, url), Ok(url.to_owned()));
        }
    }
}
