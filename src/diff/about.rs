//! What is said about a model: its name, version, licences and annotations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Side;
use super::delta::{Change, paired};
use crate::model::ModelManifest;
use crate::oci::annotation;

/// Something that is said about the model, and differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// What it is.
    pub field: Field,
    /// The key of an annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What it was and is.
    #[serde(flatten)]
    pub change: Change<String>,
}

/// What can be said about a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The type of the artifact.
    ArtifactType,
    /// The name of the model.
    Name,
    /// Its version.
    Version,
    /// Its licences, as SPDX expressions, joined by `, `.
    Licenses,
    /// Its format.
    Format,
    /// An annotation: of the OCI manifest, or in the model manifest only.
    Annotation,
}

/// Annotations that an artifact has for other tools, of what the model manifest says.
const TWICE: [&str; 3] = [annotation::TITLE, annotation::VERSION, annotation::LICENSES];

/// What is said on both sides, in the order of [`Field`].
pub(super) fn compare(a: &Side<'_>, b: &Side<'_>) -> Vec<About> {
    let manifests = a.manifest().zip(b.manifest());
    let kinds = manifests.map(|(a, b)| (Some(a.artifact_type()), Some(b.artifact_type())));
    let kind = kinds.and_then(|(a, b)| about(Field::ArtifactType, None, (a, b)));
    let models = a.model().zip(b.model());
    let said = models
        .into_iter()
        .flat_map(|(a, b)| said(a).into_iter().zip(said(b)));
    let said = said.filter_map(|((field, before), (_, after))| {
        about(field, None, (before.as_deref(), after.as_deref()))
    });
    let pairs = paired(annotations(a, b), annotations(b, a));
    let annotations = pairs.into_iter().filter_map(|(key, (before, after))| {
        let values = (before.map(String::as_str), after.map(String::as_str));
        about(Field::Annotation, Some(key), values)
    });
    kind.into_iter().chain(said).chain(annotations).collect()
}

fn about(
    field: Field,
    key: Option<&str>,
    (before, after): (Option<&str>, Option<&str>),
) -> Option<About> {
    Some(About {
        field,
        key: key.map(str::to_owned),
        change: Change::of(before.map(str::to_owned), after.map(str::to_owned))?,
    })
}

fn said(model: &ModelManifest) -> [(Field, Option<String>); 4] {
    let licenses = model.licenses.join(", ");
    [
        (Field::Name, model.name.clone()),
        (Field::Version, model.version.clone()),
        (
            Field::Licenses,
            Some(licenses).filter(|all| !all.is_empty()),
        ),
        (Field::Format, Some(model.format.clone())),
    ]
}

/// Those of the OCI manifest, if both sides have one, and those of the model manifest.
fn annotations<'a>(side: &Side<'a>, other: &Side<'_>) -> BTreeMap<&'a str, &'a String> {
    let model = side.model().map(|model| &model.annotations);
    let manifest = side.manifest().filter(|_| other.manifest().is_some());
    let manifest = manifest.map(|manifest| &manifest.annotations);
    let has_models = side.model().is_some() && other.model().is_some();
    let all = { model.into_iter().chain(manifest) }.flatten();
    let pairs = all.map(|(key, value)| (key.as_str(), value));
    pairs
        .filter(|(key, _)| !(has_models && TWICE.contains(key)))
        .collect()
}
