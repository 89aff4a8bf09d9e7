//! Signatures in manifests that refer to the artifact, as cosign 3 writes them.
//!
//! What a referrer is, its manifest says; the list that leads to it comes from the registry, or in a
//! fallback tag from whoever wrote last, and only spares fetching what is something else.

use futures_util::{StreamExt as _, stream};

use super::budget::{Budget, MAX_REFERRERS};
use super::search::{Form, JOBS, Wanted};
use super::{Candidate, Content, FindError, Found, Source};
use crate::oci::{Descriptor, Document, Kind, media_type};
use crate::store::{Referrers, Storage, fetch_document};
use crate::trust::cosign::{BUNDLE_PREFIX, PREDICATE_ANNOTATION};

/// Artifact types that say nothing: those that a manifest without one has by its config.
const UNSPECIFIC: [&str; 3] = [
    "",
    media_type::EMPTY,
    "application/vnd.oci.image.config.v1+json",
];

/// The referrers with a bundle; those without go to `others`, those that cannot be read to
/// `candidates`.
pub(super) async fn of<S: Storage + Referrers>(
    store: &S,
    found: &mut Found,
    budget: &mut Budget,
) -> Result<Vec<Wanted>, FindError> {
    let subject = found.artifact.digest;
    let listed = match store.first_referrers(&subject, MAX_REFERRERS + 1).await {
        Ok(listed) => listed,
        Err(error) => {
            let unread = Candidate::unread(Source::ReferrerList, error);
            found.candidates.push(unread);
            return Ok(Vec::new());
        }
    };
    let (manifests, others) = listed.into_iter().partition(may_be_signature);
    let manifests: Vec<Descriptor> = manifests;
    found.others = others;
    budget.candidates(manifests.len())?;
    if manifests.len() + found.others.len() > MAX_REFERRERS {
        return Err(FindError::TooManyReferrers);
    }
    budget.bytes(&manifests)?;
    let artifact = found.artifact.clone();
    let mut opened = stream::iter(manifests)
        .map(|listed| open(store, listed, &artifact))
        .buffered(JOBS);
    let mut wanted = Vec::new();
    while let Some(opened) = opened.next().await {
        match opened {
            Opened::Bundle(bundle) => wanted.push(*bundle),
            Opened::Other(other) => found.others.push(*other),
            Opened::Refused(candidate) => found.candidates.push(*candidate),
        }
    }
    Ok(wanted)
}

fn may_be_signature(listed: &Descriptor) -> bool {
    let named = listed.artifact_type.as_deref().unwrap_or_default();
    media_type::is_manifest(&listed.media_type)
        && (named.starts_with(BUNDLE_PREFIX) || UNSPECIFIC.contains(&named))
}

enum Opened {
    Bundle(Box<Wanted>),
    Other(Box<Descriptor>),
    Refused(Box<Candidate>),
}

async fn open(store: &impl Storage, listed: Descriptor, artifact: &Descriptor) -> Opened {
    let source = Source::Referrer {
        manifest: listed.digest,
    };
    let document = match fetch_document(store, &listed).await {
        Ok(document) => document,
        Err(error) => return Opened::Refused(Box::new(Candidate::unread(source, error))),
    };
    let Kind::Manifest(manifest) = document.kind() else {
        return Opened::Other(Box::new(listed));
    };
    let [layer] = manifest.layers.as_slice() else {
        return Opened::Other(Box::new(listed));
    };
    if !layer.media_type.starts_with(BUNDLE_PREFIX) {
        return Opened::Other(Box::new(listed));
    }
    let claimed = manifest.annotations.get(PREDICATE_ANNOTATION).cloned();
    if let Some(reason) = misplaced(&document, artifact) {
        return Opened::Refused(Box::new(Candidate {
            source,
            blob: Some(layer.digest),
            claimed,
            content: Ok(Content::Misplaced(reason)),
        }));
    }
    Opened::Bundle(Box::new(Wanted {
        source,
        blob: layer.clone(),
        form: Form::Bundle { claimed },
    }))
}

/// How the subject of a referrer is another than the artifact, if it is: its digest, its media type
/// or its size.
fn misplaced(referrer: &Document, artifact: &Descriptor) -> Option<String> {
    let Some(subject) = referrer.subject() else {
        return Some("it refers to nothing".to_owned());
    };
    if subject.digest != artifact.digest {
        return Some(format!("it refers to `{}`", subject.digest));
    }
    if subject.media_type != artifact.media_type {
        let (got, expected) = (&subject.media_type, &artifact.media_type);
        return Some(format!("it refers to a {got:?}, which is a {expected:?}"));
    }
    (subject.size != artifact.size).then(|| {
        let (got, expected) = (subject.size, artifact.size);
        format!("it refers to {got} bytes, which are {expected}")
    })
}
