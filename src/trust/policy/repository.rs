//! Patterns over repositories. One registry has several spellings, and a rule is for all of them: whoever
//! names an artifact must not get past a rule to a laxer one by capitals or by a port that is meant anyway.

use super::Pattern;

/// The port of registries that have none in their names.
const DEFAULT_PORT: &str = ":443";

/// A pattern over `registry/repository`.
#[derive(Debug, Clone)]
pub(super) struct RepositoryPattern(Pattern);

impl RepositoryPattern {
    pub(super) fn list(texts: &[String]) -> Vec<Self> {
        texts.iter().map(|text| Self::new(text)).collect()
    }

    fn new(text: &str) -> Self {
        Self(Pattern::new(&canonical(text)))
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.matches(&canonical(name))
    }
}

/// The one spelling: in lower case, as all repositories are, and without the port where that is the
/// default. A registry with stars keeps its port, so that no pattern comes to mean more than it says.
fn canonical(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let parts = name.split_once('/');
    let host = parts.and_then(|(registry, _)| registry.strip_suffix(DEFAULT_PORT));
    match (host, parts) {
        (Some(host), Some((_, repository))) if !host.contains('*') => {
            format!("{host}/{repository}")
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registry_is_the_same_however_it_is_spelt() {
        let rows = [
            ("r.example/prod/*", "R.Example/prod/mlp", true),
            ("r.example/prod/*", "r.example:443/prod/mlp", true),
            ("R.EXAMPLE:443/prod/*", "r.example/prod/mlp", true),
            ("r.example/prod/*", "r.example:80/prod/mlp", false),
            ("r.example/prod/*", "r.example:4430/prod/mlp", false),
            ("r.example:5000/prod/*", "r.example:5000/prod/mlp", true),
            ("R.EXAMPLE**", "r.example/prod/mlp", true),
            ("r.example/Prod/*", "r.example/prod/mlp", true),
            ("*:443/prod/*", "r.example:5000/prod/mlp", false),
            ("*.example/**", "R.EXAMPLE:443/prod/mlp", true),
            ("**", "R.EXAMPLE:443/prod/mlp", true),
        ];
        for (pattern, name, expected) in rows {
            let matches = RepositoryPattern::new(pattern).matches(name);
            assert_eq!(matches, expected, "{pattern} {name}");
        }
    }
}
