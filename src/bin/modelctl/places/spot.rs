//! An artifact in a place: what it is resolved to, named and removed by.
//!
//! A tag is resolved once; everything after goes by the digest of what it led to, so that a tag
//! that moves meanwhile changes nothing (security row A34).

use std::fmt;

use modelctl::oci::{Descriptor, Digest, Document, Reference, Tag};
use modelctl::store::{Archive, Hold, Layout, Tags as _, fetch_document};
use modelctl::transport::Repository;

use super::Depot;
use crate::blocking::blocking;
use crate::failure::Failure;

/// A place that is open, and the name in it that was asked for.
#[derive(Clone)]
pub(crate) enum Spot {
    /// A tag or digest of a repository.
    Repository(Repository, Reference),
    /// An entry of the local store.
    Store(Layout, Reference),
    /// An entry of a layout; one that is alone there needs no tag.
    Layout(Layout, Option<Tag>),
    /// An entry of an archive; one that is alone there needs no tag.
    Archive(Archive, Option<Tag>),
}

impl Spot {
    /// The place, to copy from or into.
    pub(crate) fn depot(&self) -> Depot {
        match self {
            Self::Repository(repository, _) => Depot::Repository(repository.clone()),
            Self::Store(layout, _) | Self::Layout(layout, _) => Depot::Layout(layout.clone()),
            Self::Archive(archive, _) => Depot::Archive(archive.clone()),
        }
    }

    /// Finds what the name leads to.
    pub(crate) async fn resolve(&self) -> Result<Document, Failure> {
        let manifest = match self.clone() {
            Self::Repository(_, reference) | Self::Store(_, reference) if is_bare(&reference) => {
                return Err(Failure::NoTag(reference));
            }
            Self::Repository(repository, reference) => {
                return Ok(repository.resolve(&reference).await?);
            }
            Self::Store(layout, reference) if reference.digest().is_some() => {
                return Ok(layout.resolve(&reference).await?);
            }
            Self::Store(layout, reference) => {
                blocking(move || layout.resolve_name(&entry_name(&reference))).await?
            }
            Self::Layout(layout, Some(tag)) => {
                blocking(move || layout.resolve_name(tag.as_str())).await?
            }
            Self::Layout(layout, None) => blocking(move || layout.resolve_only()).await?,
            Self::Archive(archive, Some(tag)) => archive.resolve_name(tag.as_str())?,
            Self::Archive(archive, None) => archive.resolve_only()?,
        };
        Ok(fetch_document(&self.depot(), &manifest).await?)
    }

    /// The repository of the same registry that this place is, seen from another one: what is in it
    /// can be mounted there.
    pub(crate) fn beside(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Repository(_, here), Self::Repository(_, there))
                if here.registry() == there.registry() && here.name() != there.name() =>
            {
                Some(here.repository().to_owned())
            }
            _ => None,
        }
    }

    /// Checks that repositories of `--mount-from` are of this place's registry; gives their names.
    pub(crate) fn mounts(&self, given: &[Reference]) -> Result<Vec<String>, Failure> {
        let Self::Repository(_, here) = self else {
            return Ok(Vec::new());
        };
        let name = |from: &Reference| match from.registry() {
            _ if !is_bare(from) => Err("expected a repository without tag and digest".to_owned()),
            Some(registry) if here.registry() != Some(registry) => Err(format!(
                "a blob can only be mounted within a registry, and `{}` is not of the one of `{}`",
                from.name(),
                here.name()
            )),
            _ => Ok(from.repository().to_owned()),
        };
        let names: Result<Vec<String>, String> = given.iter().map(name).collect();
        names.map_err(|reason| Failure::Option {
            option: "--mount-from",
            reason,
        })
    }

    /// Whether the name has a digest, which what is put there must have.
    pub(crate) fn is_pinned(&self) -> bool {
        match self {
            Self::Repository(_, reference) | Self::Store(_, reference) => {
                reference.digest().is_some()
            }
            Self::Layout(..) | Self::Archive(..) => false,
        }
    }

    /// Checks that something can be put beside the artifact.
    pub(crate) fn may_be_added_to(&self) -> Result<(), Failure> {
        match self {
            Self::Archive(..) => Err(Failure::ReadOnly(self.to_string())),
            Self::Repository(..) | Self::Store(..) | Self::Layout(..) => Ok(()),
        }
    }

    /// Checks, before anything is copied, that an artifact can have the name: it has a tag, or the
    /// digest of the artifact.
    pub(crate) fn may_be(&self, document: &Document) -> Result<(), Failure> {
        let (Self::Repository(_, reference) | Self::Store(_, reference)) = self else {
            return Ok(());
        };
        let (name, digest) = (reference.clone(), document.digest());
        match reference.digest() {
            _ if is_bare(reference) => Err(Failure::NoTag(name)),
            Some(named) if *named != digest => Err(Failure::OtherDigest { name, digest }),
            _ => Ok(()),
        }
    }

    /// Makes the name lead to a manifest that is there with everything it needs. A repository has
    /// no name for a digest; a layout lists the manifest then.
    pub(crate) async fn tag(&self, manifest: &Descriptor) -> Result<(), Failure> {
        let manifest = manifest.clone();
        match self.clone() {
            Self::Repository(repository, reference) => {
                if reference.tag().is_some() {
                    repository.tag(&manifest, &reference).await?;
                }
            }
            Self::Store(layout, reference) => {
                let name = entry_name(&reference);
                blocking(move || layout.tag_as(&manifest, &name)).await?;
            }
            Self::Layout(layout, Some(tag)) => {
                blocking(move || layout.tag_as(&manifest, tag.as_str())).await?;
            }
            Self::Layout(layout, None) => blocking(move || layout.list(&manifest)).await?,
            Self::Archive(..) => return Err(Failure::ReadOnly(self.to_string())),
        }
        Ok(())
    }

    /// The same place with another tag.
    pub(crate) fn with_tag(&self, tag: Tag) -> Self {
        match self.clone() {
            Self::Repository(repository, reference) => {
                Self::Repository(repository, reference.with_tag(tag))
            }
            Self::Store(layout, reference) => Self::Store(layout, reference.with_tag(tag)),
            Self::Layout(layout, _) => Self::Layout(layout, Some(tag)),
            Self::Archive(archive, _) => Self::Archive(archive, Some(tag)),
        }
    }

    /// Takes the name away, or with a digest the artifact and all its names, and says what it led
    /// to. The blobs of a layout stay until `gc`.
    pub(crate) async fn remove(&self) -> Result<Digest, Failure> {
        let digest = self.resolve().await?.digest();
        match self.clone() {
            Self::Repository(repository, reference) => repository.delete(&reference).await?,
            Self::Store(layout, reference) if reference.digest().is_none() => {
                blocking(move || layout.untag(&entry_name(&reference))).await?;
            }
            Self::Layout(layout, Some(tag)) => {
                blocking(move || layout.untag(tag.as_str())).await?;
            }
            Self::Store(layout, _) | Self::Layout(layout, None) => {
                blocking(move || layout.unlist(&digest)).await?;
            }
            Self::Archive(..) => return Err(Failure::ReadOnly(self.to_string())),
        }
        Ok(digest)
    }

    /// Keeps the garbage collection of a layout away while something is added.
    pub(crate) fn hold(&self) -> Result<Option<Hold>, Failure> {
        match self {
            Self::Store(layout, _) | Self::Layout(layout, _) => Ok(Some(layout.hold()?)),
            Self::Repository(..) | Self::Archive(..) => Ok(None),
        }
    }
}

/// Whether a reference names a whole repository.
pub(crate) fn is_bare(reference: &Reference) -> bool {
    reference.tag().is_none() && reference.digest().is_none()
}

/// The name of an entry of the store. One that was asked for by digest alone has the digest in its
/// name, so that another version does not take it away.
fn entry_name(reference: &Reference) -> String {
    match reference.tag() {
        Some(tag) => reference.clone().with_tag(tag.clone()).to_string(),
        None => reference.to_string(),
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag = |tag: &Option<Tag>| tag.as_ref().map_or(String::new(), |tag| format!(":{tag}"));
        match self {
            Self::Repository(_, reference) => reference.fmt(f),
            Self::Store(_, reference) => write!(f, "store:{reference}"),
            Self::Layout(layout, name) => {
                write!(f, "oci:{}{}", layout.root().display(), tag(name))
            }
            Self::Archive(archive, name) => {
                write!(f, "oci-archive:{}{}", archive.path().display(), tag(name))
            }
        }
    }
}
