//! The names that credentials are kept under. Docker writes `https://index.docker.io/v1/` for its
//! Hub and `host[:port]` for the rest, older versions a URL; Podman may add a repository.

/// What Docker keeps the credentials of its Hub under.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// A key as it is written, brought into the form `host[:port][/repository]`.
pub(crate) fn normal(key: &str) -> String {
    let key = key.trim();
    let lower = key.to_ascii_lowercase();
    let had_scheme = ["https://", "http://"]
        .iter()
        .find(|s| lower.starts_with(*s));
    let rest = &key[had_scheme.map_or(0, |scheme| scheme.len())..];
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match host.to_ascii_lowercase().as_str() {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        host => host.to_owned(),
    };
    match path.trim_matches('/') {
        // The path of the API, which old versions of Docker kept.
        "" | "v1" | "v2" => host,
        path => format!("{host}/{path}"),
    }
}

/// The keys that hold for a repository, the most specific first.
pub(crate) fn candidates(registry: &str, repository: &str) -> Vec<String> {
    let mut key = normal(registry);
    let mut keys = vec![key.clone()];
    for component in repository
        .split('/')
        .filter(|component| !component.is_empty())
    {
        key = format!("{key}/{component}");
        keys.insert(0, key.clone());
    }
    keys
}

/// The key to write, and to ask a helper for.
pub(crate) fn written(registry: &str) -> String {
    match normal(registry).as_str() {
        "docker.io" => DOCKER_HUB.to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Security row A27.
    #[test]
    fn keys_of_all_kinds_of_docker_are_the_same() {
        for key in [
            "docker.io",
            "https://index.docker.io/v1/",
            "https://index.docker.io/v1",
            "index.docker.io",
            "registry-1.docker.io",
            "HTTPS://registry-1.docker.io/v2/",
        ] {
            assert_eq!(normal(key), "docker.io", "{key}");
        }
        assert_eq!(normal("http://h.example:5000/v1/"), "h.example:5000");
        assert_eq!(normal("quay.io/team/model"), "quay.io/team/model");
        assert_eq!(written("docker.io"), DOCKER_HUB);
        assert_eq!(written("h.example:5000"), "h.example:5000");
    }

    #[test]
    fn longest_key_comes_first() {
        assert_eq!(candidates("h", "a/b"), ["h/a/b", "h/a", "h"]);
        assert_eq!(candidates("h", ""), ["h"]);
    }
}
