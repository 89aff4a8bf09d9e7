//! Signatures under the tag `sha256-<hex>.sig`, as cosign 2 wrote them.

use super::search::{Form, Wanted};
use super::{Candidate, Source};
use crate::oci::{Descriptor, Digest, Document, Kind};
use crate::trust::base64;
use crate::trust::cosign::{
    CERTIFICATE_ANNOTATION, SIGNATURE_ANNOTATION, SIMPLE_SIGNING, legacy_tag,
};
use crate::{Error, ErrorKind};

/// The signatures in what the tag leads to. A tag that could not be read is a candidate at once.
pub(super) fn of(
    artifact: &Digest,
    tagged: Result<Option<Document>, Error>,
    candidates: &mut Vec<Candidate>,
) -> Vec<Wanted> {
    let tag = legacy_tag(artifact).to_string();
    let document = match tagged {
        Ok(Some(document)) => document,
        Ok(None) => return Vec::new(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            candidates.push(Candidate::unread(Source::TagOf { tag }, error));
            return Vec::new();
        }
    };
    // An index under that tag holds no signature that cosign would find.
    let Kind::Manifest(manifest) = document.kind() else {
        return Vec::new();
    };
    let layers = manifest.layers.iter().enumerate();
    let layers = layers.filter(|(_, layer)| layer.media_type == SIMPLE_SIGNING);
    let wanted = layers.map(|(index, layer)| Wanted {
        source: Source::Tag {
            tag: tag.clone(),
            layer: index,
        },
        blob: layer.clone(),
        form: Form::Legacy {
            signature: signature_of(layer),
            has_certificate: layer.annotations.contains_key(CERTIFICATE_ANNOTATION),
        },
    });
    wanted.collect()
}

fn signature_of(layer: &Descriptor) -> Option<Vec<u8>> {
    base64::decode(layer.annotations.get(SIGNATURE_ANNOTATION)?).ok()
}
