//! The registry that a reference names, as a place on the web: name → base URL and origin, and what
//! was found out about it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use url::Url;

use super::origin::{Origin, Reach};
use crate::transport::TransportError;

/// The names under which Docker Hub is known; its API is at the last.
const DOCKER_HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// Where every answer took longer than this to begin, the registry is far.
const NEARBY: Duration = Duration::from_millis(10);

/// A registry on the web.
pub(crate) struct RegistryHost {
    /// The name that credentials are kept under, `host[:port]`.
    pub(crate) name: String,
    pub(crate) base: Url,
    pub(crate) origin: Origin,
    ignores_ranges: AtomicBool,
    /// The shortest time that an answer took to begin, in microseconds; the longest that there is
    /// where none has come.
    soonest: AtomicU64,
}

impl RegistryHost {
    /// Finds a registry by its name. Plain HTTP is spoken with loopback addresses, or where the
    /// caller says so.
    pub(crate) fn new(registry: &str, plain_http: Option<bool>) -> Result<Self, TransportError> {
        let is_hub = DOCKER_HUB.contains(&registry);
        let address = if is_hub { DOCKER_HUB[2] } else { registry };
        let at = |scheme| {
            let base = Url::parse(&format!("{scheme}://{address}/v2/")).ok()?;
            Some((Origin::of(&base)?, base))
        };
        let found = match plain_http {
            Some(true) => at("http"),
            Some(false) => at("https"),
            None => at("http")
                .filter(|(origin, _)| origin.reach() == Reach::Loopback)
                .or_else(|| at("https")),
        };
        let (origin, base) = found.ok_or_else(|| TransportError::Unusable {
            subject: format!("registry `{registry}`"),
            reason: "not a host that has a URL".to_owned(),
        })?;
        let name = if is_hub { DOCKER_HUB[0] } else { registry };
        Ok(Self {
            name: name.to_owned(),
            base,
            origin,
            ignores_ranges: AtomicBool::new(false),
            soonest: AtomicU64::new(u64::MAX),
        })
    }

    /// Whether parts of blobs are worth asking for.
    pub(crate) fn honours_ranges(&self) -> bool {
        !self.ignores_ranges.load(Ordering::Relaxed)
    }

    /// Remembers that a whole blob came for a range of it.
    pub(crate) fn ignored_a_range(&self) {
        self.ignores_ranges.store(true, Ordering::Relaxed);
    }

    /// An answer to a request without content began after so long. The shortest counts: it has no
    /// connection to make, and nothing that the registry has to look up.
    pub(crate) fn answered(&self, after: Duration) {
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX - 1);
        self.soonest.fetch_min(micros, Ordering::Relaxed);
    }

    /// Whether every answer so far took long to begin; not before the first.
    pub(crate) fn is_far(&self) -> bool {
        let soonest = self.soonest.load(Ordering::Relaxed);
        soonest != u64::MAX && Duration::from_micros(soonest) > NEARBY
    }

    /// Whether a URL is at the registry itself: same scheme, host and port.
    pub(crate) fn is_at(&self, url: &Url) -> bool {
        Origin::of(url).as_ref() == Some(&self.origin)
    }

    /// The name of a repository as the registry knows it: Docker Hub keeps those of one word in
    /// `library`.
    pub(crate) fn repository(&self, name: &str) -> String {
        if self.name == DOCKER_HUB[0] && !name.contains('/') {
            return format!("library/{name}");
        }
        name.to_owned()
    }

    /// A URL of the API. The path is made of types that cannot hold `/../`, `?` or `#`.
    pub(crate) fn url(&self, path: &str) -> Url {
        self.base
            .join(path)
            .expect("a path of names, tags and digests")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(registry: &str, plain_http: Option<bool>) -> String {
        RegistryHost::new(registry, plain_http).unwrap().base.into()
    }

    #[test]
    fn plain_http_is_for_loopback_or_on_request() {
        for (registry, url) in [
            ("localhost:5000", "http://localhost:5000/v2/"),
            ("127.0.0.1", "http://127.0.0.1/v2/"),
            ("127.9.9.9:1", "http://127.9.9.9:1/v2/"),
            ("[::1]:5000", "http://[::1]:5000/v2/"),
            ("10.0.0.1:5000", "https://10.0.0.1:5000/v2/"),
            ("registry.example", "https://registry.example/v2/"),
        ] {
            assert_eq!(base(registry, None), url);
        }
        assert_eq!(
            base("registry.example", Some(true)),
            "http://registry.example/v2/"
        );
        assert_eq!(
            base("localhost:5000", Some(false)),
            "https://localhost:5000/v2/"
        );
    }

    #[test]
    fn registry_is_far_while_no_answer_comes_soon() {
        let host = RegistryHost::new("registry.example", None).unwrap();
        assert!(!host.is_far(), "nothing is known");
        host.answered(Duration::from_millis(200));
        host.answered(Duration::from_millis(50));
        assert!(host.is_far());
        host.answered(Duration::from_millis(1));
        host.answered(Duration::from_millis(50));
        assert!(!host.is_far(), "one answer came soon");
    }

    #[test]
    fn docker_hub_has_an_address_and_a_library() {
        for name in DOCKER_HUB {
            let host = RegistryHost::new(name, None).unwrap();
            assert_eq!(host.name, "docker.io");
            assert_eq!(host.base.as_str(), "https://registry-1.docker.io/v2/");
            assert_eq!(host.repository("alpine"), "library/alpine");
            assert_eq!(host.repository("a/b"), "a/b");
        }
        let other = RegistryHost::new("registry.example", None).unwrap();
        assert_eq!(other.repository("alpine"), "alpine");
    }
}
