//! What a token is good for: `repository:<name>:<action>,…`, as a set.

use std::collections::{BTreeMap, BTreeSet};

/// More than any request needs; what a challenge asks for beyond it is left out.
const MAX_RESOURCES: usize = 16;

/// Resources and the actions on them. Ordered, so that equal sets are equal requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Scopes(BTreeMap<String, BTreeSet<String>>);

impl Scopes {
    /// No resource: enough to ask who we are.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Reading a repository.
    pub(crate) fn pull(repository: &str) -> Self {
        Self::none().and(&format!("repository:{repository}:pull"))
    }

    /// Reading and writing a repository.
    pub(crate) fn push(repository: &str) -> Self {
        Self::none().and(&format!("repository:{repository}:pull,push"))
    }

    /// These scopes and those of a text, separated by spaces.
    pub(crate) fn and(mut self, text: &str) -> Self {
        for scope in text.split_ascii_whitespace() {
            let Some((resource, actions)) = scope.rsplit_once(':') else {
                continue;
            };
            if self.0.len() < MAX_RESOURCES || self.0.contains_key(resource) {
                let actions = actions.split(',').filter(|action| !action.is_empty());
                self.0
                    .entry(resource.to_owned())
                    .or_default()
                    .extend(actions.map(str::to_owned));
            }
        }
        self
    }

    /// Whether every one of some other scopes is among these.
    pub(crate) fn cover(&self, others: &Self) -> bool {
        others.0.iter().all(|(resource, actions)| {
            let own = self.0.get(resource);
            own.is_some_and(|own| own.is_superset(actions))
        })
    }

    /// Each resource with its actions, as a token server reads them.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(resource, actions)| {
            let actions: Vec<_> = actions.iter().map(String::as_str).collect();
            format!("{resource}:{}", actions.join(","))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_sets() {
        let push = Scopes::push("a/b");
        assert!(push.cover(&Scopes::pull("a/b")));
        assert!(!Scopes::pull("a/b").cover(&push));
        assert!(!push.cover(&Scopes::pull("a/c")));
        assert!(push.cover(&Scopes::none()));
        let both =
            Scopes::pull("x").and("repository:x:push,delete repository:host:5000/y:pull junk");
        let texts: Vec<_> = both.texts().collect();
        assert_eq!(
            texts,
            [
                "repository:host:5000/y:pull",
                "repository:x:delete,pull,push"
            ]
        );
    }

    #[test]
    fn hostile_challenge_does_not_grow_without_end() {
        let many: String = (0..1000)
            .map(|n| format!("repository:r{n}:pull "))
            .collect();
        assert_eq!(Scopes::none().and(&many).texts().count(), MAX_RESOURCES);
    }
}
