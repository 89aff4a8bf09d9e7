//! What the layout's `index.json` says of the repositories, so that `skopeo`, `ls`, `gc` and
//! whoever else reads a layout see what was pushed.
//!
//! changes of records → entries: one for each tag, named `<repository>:<tag>`, and one for each
//! manifest that no tag of its repository leads to, named `<repository>@<digest>`. The records are
//! the truth; the index is made to agree with them before a change is acknowledged, and once more
//! when a store is opened. Changes that come in while the file is being written share the next
//! writing, so that many clients cost no more than one.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Depot, Repository};
use crate::oci::{Descriptor, Digest, Tag, annotation};
use crate::registry::RegistryError;

/// A change of a repository that the index has to follow.
#[derive(Debug)]
pub(super) enum Change {
    /// It has a manifest now.
    Manifest(Descriptor),
    /// A tag leads to a manifest now.
    Tag(Tag, Descriptor),
    /// It has a tag no longer.
    Untag(Tag),
    /// It has a manifest no longer, nor the tags that led to it.
    Delete(Digest),
}

/// The changes that are not in the index yet.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    queue: Mutex<VecDeque<(Repository, Change)>>,
    /// Held while the file is written.
    writing: Mutex<()>,
}

impl Depot {
    /// Hands in changes, in their order; they are in the index after the next [`Depot::publish`].
    pub(super) fn announce(
        &self,
        repository: &Repository,
        changes: impl IntoIterator<Item = Change>,
    ) {
        let changes = changes
            .into_iter()
            .map(|change| (repository.clone(), change));
        lock(&self.catalogue.queue).extend(changes);
    }

    /// Returns once every change that was announced before is in the index.
    pub(super) fn publish(&self) -> Result<(), RegistryError> {
        // Whoever waited here finds that the one before has written its changes too.
        let _writing = lock(&self.catalogue.writing);
        let changes = std::mem::take(&mut *lock(&self.catalogue.queue));
        if changes.is_empty() {
            return Ok(());
        }
        self.layout.edit_entries(|entries| {
            for (repository, change) in changes {
                apply(entries, &repository, change);
            }
        })?;
        Ok(())
    }
}

/// Makes entries follow one change.
fn apply(entries: &mut Vec<Descriptor>, repository: &Repository, change: Change) {
    match change {
        Change::Manifest(manifest) => keep(entries, repository, manifest),
        Change::Tag(tag, manifest) => {
            let before = take(entries, &tag_name(repository, &tag));
            take(entries, &bare_name(repository, &manifest.digest));
            entries.push(named(manifest, tag_name(repository, &tag)));
            before
                .into_iter()
                .for_each(|it| keep(entries, repository, it));
        }
        Change::Untag(tag) => {
            let before = take(entries, &tag_name(repository, &tag));
            before
                .into_iter()
                .for_each(|it| keep(entries, repository, it));
        }
        Change::Delete(digest) => {
            entries.retain(|entry| !(entry.digest == digest && is_of(entry, repository)));
        }
    }
}

/// Makes sure that a manifest which the repository has is in the index by some name.
fn keep(entries: &mut Vec<Descriptor>, repository: &Repository, manifest: Descriptor) {
    let has = |entry: &Descriptor| entry.digest == manifest.digest && is_of(entry, repository);
    if !entries.iter().any(has) {
        let name = bare_name(repository, &manifest.digest);
        entries.push(named(manifest, name));
    }
}

/// Takes out the entry of a name.
fn take(entries: &mut Vec<Descriptor>, name: &str) -> Option<Descriptor> {
    let at = entries
        .iter()
        .position(|entry| name_of(entry) == Some(name))?;
    Some(entries.remove(at))
}

fn named(mut manifest: Descriptor, name: String) -> Descriptor {
    let key = annotation::REF_NAME.to_owned();
    manifest.annotations.insert(key, name);
    manifest
}

/// The name of an entry, if it has one.
pub(super) fn name_of(entry: &Descriptor) -> Option<&str> {
    let name = entry.annotations.get(annotation::REF_NAME)?;
    Some(name.as_str())
}

/// Whether an entry is one of a repository. `a:5000/b:v1` is none of `a`.
fn is_of(entry: &Descriptor, repository: &Repository) -> bool {
    let rest = name_of(entry).and_then(|name| name.strip_prefix(repository.as_str()));
    rest.is_some_and(|rest| match rest.strip_prefix(':') {
        Some(tag) => tag.parse::<Tag>().is_ok(),
        None => rest.starts_with('@'),
    })
}

fn tag_name(repository: &Repository, tag: &Tag) -> String {
    format!("{repository}:{tag}")
}

fn bare_name(repository: &Repository, digest: &Digest) -> String {
    format!("{repository}@{digest}")
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(entries: &[Descriptor]) -> Vec<&str> {
        let mut names: Vec<&str> = entries.iter().filter_map(name_of).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_manifest_of_a_repository_has_an_entry() {
        let repository = Repository::parse("a").unwrap();
        let other = Repository::parse("a-b").unwrap();
        let tag = |text: &str| text.parse::<Tag>().unwrap();
        let [one, two] = [b"1", b"2"].map(|raw| Descriptor::of("t", raw));
        let bare = |manifest: &Descriptor| bare_name(&repository, &manifest.digest);
        let mut entries = Vec::new();
        let mut expect = |changes: Vec<Change>, expected: &[&str]| {
            for change in changes {
                apply(&mut entries, &repository, change);
            }
            assert_eq!(names(&entries), expected);
        };
        expect(vec![Change::Manifest(one.clone())], &[&bare(&one)]);
        expect(vec![Change::Manifest(one.clone())], &[&bare(&one)]);
        expect(vec![Change::Tag(tag("v1"), one.clone())], &["a:v1"]);
        // The tag moves on, and the manifest that it led to stays pullable by its digest.
        expect(
            vec![Change::Tag(tag("v1"), two.clone())],
            &["a:v1", &bare(&one)],
        );
        expect(vec![Change::Tag(tag("v2"), one.clone())], &["a:v1", "a:v2"]);
        expect(vec![Change::Untag(tag("v2"))], &["a:v1", &bare(&one)]);
        expect(vec![Change::Untag(tag("v3"))], &["a:v1", &bare(&one)]);
        expect(vec![Change::Delete(one.digest)], &["a:v1"]);
        // What only begins alike is left alone.
        apply(&mut entries, &other, Change::Tag(tag("v1"), two.clone()));
        entries.push(named(two.clone(), "a:5000/b:v1".to_owned()));
        apply(&mut entries, &repository, Change::Delete(two.digest));
        assert_eq!(names(&entries), ["a-b:v1", "a:5000/b:v1"]);
    }
}
