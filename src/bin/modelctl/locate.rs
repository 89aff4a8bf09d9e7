//! What the user named → where it is and which of its artifacts is meant.
//!
//! A tag is resolved once, here; everything after goes by the digest of what it led to, so that a
//! tag that moves meanwhile changes nothing (security row A34).

use std::fmt;

use modelctl::oci::{Descriptor, Digest, Document, Place, Reference, Tag};
use modelctl::store::{Hold, Layout, StoreError, Tags as _};

use crate::blocking::blocking;
use crate::context::Context;
use crate::depot::Depot;
use crate::failure::Failure;
use crate::registry_options::RegistryOptions;

/// A place that is open, and the name in it that was asked for.
pub(crate) struct Spot {
    /// The place.
    pub(crate) depot: Depot,
    name: Name,
}

/// What names an artifact in a place.
#[derive(Debug, Clone)]
pub(crate) enum Name {
    /// A tag or digest of a repository, or an entry of the store.
    Reference(Reference),
    /// The tag of an entry of a layout; a layout with one entry needs none.
    Tag(Option<Tag>),
}

impl Spot {
    /// An entry of the store, by the reference that names it.
    pub(crate) fn entry(store: Layout, reference: Reference) -> Self {
        Self {
            depot: Depot::Layout(store),
            name: Name::Reference(reference),
        }
    }

    /// Finds what the name leads to.
    pub(crate) async fn resolve(&self) -> Result<Document, Failure> {
        match (&self.depot, &self.name) {
            (_, Name::Reference(reference))
                if reference.tag().is_none() && reference.digest().is_none() =>
            {
                Err(Failure::NoTag(reference.clone()))
            }
            (Depot::Layout(layout), Name::Reference(reference)) => {
                Ok(layout.resolve(reference).await?)
            }
            (Depot::Layout(layout), Name::Tag(tag)) => {
                let (layout, tag) = (layout.clone(), tag.clone());
                Ok(blocking(move || resolve_tag(&layout, tag.as_ref())).await?)
            }
        }
    }

    /// Checks, before anything is copied, that an artifact can have the name: it has a tag, or the
    /// digest of the artifact.
    pub(crate) fn may_be(&self, document: &Document) -> Result<(), Failure> {
        let Name::Reference(reference) = &self.name else {
            return Ok(());
        };
        let digest = document.digest();
        match (reference.tag(), reference.digest()) {
            (None, None) => Err(Failure::NoTag(reference.clone())),
            (_, Some(named)) if *named != digest => Err(Failure::OtherDigest {
                name: reference.clone(),
                digest,
            }),
            _ => Ok(()),
        }
    }

    /// The same place with another tag.
    pub(crate) fn with_tag(&self, tag: Tag) -> Self {
        Self {
            depot: self.depot.clone(),
            name: match &self.name {
                Name::Reference(reference) => Name::Reference(reference.clone().with_tag(tag)),
                Name::Tag(_) => Name::Tag(Some(tag)),
            },
        }
    }

    /// Takes the name away, or with a digest the artifact and all its names, and says what it led
    /// to.
    pub(crate) async fn remove(&self) -> Result<Digest, Failure> {
        match &self.depot {
            Depot::Layout(layout) => {
                let digest = self.resolve().await?.digest();
                let (layout, name) = (layout.clone(), self.name.clone());
                blocking(move || remove_entry(&layout, &name, &digest)).await?;
                Ok(digest)
            }
        }
    }

    /// Keeps the garbage collection of a layout away while something is added.
    pub(crate) fn hold(&self) -> Result<Option<Hold>, Failure> {
        match &self.depot {
            Depot::Layout(layout) => Ok(Some(layout.hold()?)),
        }
    }

    /// Makes the name lead to a manifest that is there with everything it needs. Where the name is
    /// a digest, there is nothing to name.
    pub(crate) async fn tag(&self, manifest: &Descriptor) -> Result<(), Failure> {
        match &self.depot {
            Depot::Layout(layout) => {
                let (layout, manifest) = (layout.clone(), manifest.clone());
                let name = self.name.entry_name();
                blocking(move || match name {
                    Some(name) => layout.tag_as(&manifest, &name),
                    None => layout.list(&manifest),
                })
                .await?;
            }
        }
        Ok(())
    }
}

impl Name {
    /// The name of the entry in a layout. An entry of the store that was asked for by digest alone
    /// has the digest in its name, so that another version does not take it away.
    pub(crate) fn entry_name(&self) -> Option<String> {
        match self {
            Self::Reference(reference) => Some(match reference.tag() {
                Some(tag) => reference.clone().with_tag(tag.clone()).to_string(),
                None => reference.to_string(),
            }),
            Self::Tag(tag) => tag.as_ref().map(|tag| tag.as_str().to_owned()),
        }
    }
}

fn resolve_tag(layout: &Layout, tag: Option<&Tag>) -> modelctl::Result<Document> {
    let manifest = match tag {
        Some(tag) => layout.resolve_name(tag.as_str())?,
        None => layout.resolve_only()?,
    };
    layout.read_document(&manifest.digest, Some(&manifest.media_type))
}

/// Takes one name away; where a digest or nothing names the artifact, all of its entries.
fn remove_entry(layout: &Layout, name: &Name, digest: &Digest) -> Result<(), StoreError> {
    let tagged = match name {
        Name::Reference(reference) => reference.digest().is_none(),
        Name::Tag(tag) => tag.is_some(),
    };
    match name.entry_name().filter(|_| tagged) {
        Some(name) => layout.untag(&name).map(drop),
        None => layout.unlist(digest).map(drop),
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.depot, &self.name) {
            (Depot::Layout(_), Name::Reference(reference)) => write!(f, "store:{reference}"),
            (Depot::Layout(layout), Name::Tag(tag)) => {
                write!(f, "oci:{}", layout.root().display())?;
                tag.iter().try_for_each(|tag| write!(f, ":{tag}"))
            }
        }
    }
}

impl Context {
    /// Opens a place to put something into; a layout is made if it is not there.
    pub(crate) fn create(&self, place: &Place, options: &RegistryOptions) -> Result<Spot, Failure> {
        match place {
            Place::Layout { path, tag } => Ok(Spot {
                depot: Depot::Layout(Layout::open_or_create(path)?),
                name: Name::Tag(tag.clone()),
            }),
            other => self.open(other, options),
        }
    }

    /// Opens a place that is there.
    pub(crate) fn open(&self, place: &Place, _options: &RegistryOptions) -> Result<Spot, Failure> {
        match place {
            Place::Store(reference) => Ok(Spot::entry(self.store()?, reference.clone())),
            Place::Layout { path, tag } => Ok(Spot {
                depot: Depot::Layout(Layout::open(path)?),
                name: Name::Tag(tag.clone()),
            }),
            _ => Err(Failure::WrongPlace {
                place: place.clone(),
                expected: "an artifact, as in `registry.example/mlp:v1`, `store:mlp:v1` or `oci:DIR:v1`",
            }),
        }
    }
}
