//! What cosign before version 3 keeps beside an artifact: tags that have its digest in their names.

use std::path::PathBuf;

use modelctl::oci::{Descriptor, Digest, Document, Kind, Reference, Tag, media_type};
use modelctl::store::{StoreError, Tags};
use modelctl::transfer::{self, CopyOptions, CopyReport};
use modelctl::trust::cosign::legacy::{self, Beside};
use modelctl::trust::cosign::{SUFFIXES, suffixed_tag};
use modelctl::{Error, ErrorKind};

use super::Spot;
use crate::failure::Failure;

/// The tags of one place, whatever it calls its entries: of a reference only the tag counts.
pub(crate) struct TagsOf<'a>(pub(crate) &'a Spot);

impl TagsOf<'_> {
    /// A reference to a tag of this place.
    pub(crate) fn reference(tag: Tag) -> Reference {
        let place: Reference = "place".parse().expect("a word is a repository");
        place.with_tag(tag)
    }

    fn named(&self, reference: &Reference) -> Spot {
        match reference.tag() {
            Some(tag) => self.0.with_tag(tag.clone()),
            None => self.0.clone(),
        }
    }
}

impl Tags for TagsOf<'_> {
    async fn resolve(&self, reference: &Reference) -> modelctl::Result<Document> {
        self.named(reference).resolve().await.map_err(library)
    }

    async fn tag(&self, manifest: &Descriptor, reference: &Reference) -> modelctl::Result<()> {
        self.named(reference).tag(manifest).await.map_err(library)
    }
}

/// The library's error. A place that has none, since it is read-only, is found out before.
fn library(failure: Failure) -> Error {
    match failure {
        Failure::Library(error) => error,
        other => StoreError::Archive {
            path: PathBuf::new(),
            reason: other.to_string(),
        }
        .into(),
    }
}

/// Copies what is under such tags of an artifact and of what it lists, and counts it. What the
/// destination has under them stays, and gets what it misses.
pub(crate) async fn copy_beside(
    (source, destination): (&Spot, &Spot),
    root: &Document,
    options: &CopyOptions,
    report: &mut CopyReport,
) -> Result<(), Failure> {
    let options = CopyOptions {
        referrers: false,
        ..options.clone()
    };
    for (tag, document) in all_beside(source, root).await? {
        let (from, to) = (source.depot(), destination.depot());
        let copied = transfer::copy(&from, &to, &document, &options).await?;
        put(destination, tag, &document).await?;
        report.copied += copied.copied;
        report.skipped += copied.skipped;
        report.mounted += copied.mounted;
        report.bytes += copied.bytes;
        report.referrers += 1;
    }
    Ok(())
}

/// What is under such tags of an artifact and of what it lists.
pub(crate) async fn all_beside(
    place: &Spot,
    root: &Document,
) -> Result<Vec<(Tag, Document)>, Failure> {
    let mut found = Vec::new();
    for subject in subjects(root) {
        for tag in SUFFIXES.map(|suffix| suffixed_tag(&subject, suffix)) {
            if let Some(document) = beside(place, &tag).await? {
                found.push((tag, document));
            }
        }
    }
    Ok(found)
}

/// What is under a tag, if anything is.
async fn beside(place: &Spot, tag: &Tag) -> Result<Option<Document>, Failure> {
    match place.with_tag(tag.clone()).resolve().await {
        Ok(document) => Ok(Some(document)),
        Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Makes the tag lead to the document, or what is under it have the document's layers as well.
async fn put(place: &Spot, tag: Tag, document: &Document) -> Result<(), Failure> {
    match (beside(place, &tag).await?, document.manifest()) {
        (Some(there), Ok(manifest)) => {
            if there.digest() != document.digest() {
                let (store, tags) = (place.depot(), TagsOf(place));
                let tag = TagsOf::reference(tag);
                let place = Beside {
                    store: &store,
                    tags: &tags,
                    tag: &tag,
                };
                legacy::append(place, &manifest.layers).await?;
            }
            Ok(())
        }
        _ => place.with_tag(tag).tag(&document.descriptor()).await,
    }
}

/// The artifact, and the manifests that it lists if it is an index.
fn subjects(root: &Document) -> Vec<Digest> {
    let mut subjects = vec![root.digest()];
    if let Kind::Index(index) = root.kind() {
        let listed = index.manifests.iter();
        let manifests = listed.filter(|entry| media_type::is_manifest(&entry.media_type));
        subjects.extend(manifests.map(|entry| entry.digest));
    }
    subjects
}
