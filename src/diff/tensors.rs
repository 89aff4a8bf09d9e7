//! What changed in the tensors: by graph, scope and name, and by the digests of their bytes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Side;
use super::delta::{Delta, Total, paired};
use crate::model::{ModelManifest, Tensor};
use crate::oci::Digest;

/// A tensor that only one version has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TensorEntry {
    /// The path of the graph that uses it.
    pub graph: String,
    /// Where in the graph it is; empty at the top.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub state: TensorState,
}

/// A tensor that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TensorChange {
    /// The path of the graph that uses it.
    pub graph: String,
    /// Where in the graph it is; empty at the top.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Its name.
    pub name: String,
    /// What differs.
    pub parts: Vec<TensorPart>,
    /// In A.
    pub before: TensorState,
    /// In B.
    pub after: TensorState,
}

/// What can differ between two tensors of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TensorPart {
    /// The element type.
    Dtype,
    /// The dimensions.
    Shape,
    /// Its bytes.
    Value,
}

/// A tensor without its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TensorState {
    /// The ONNX element type in lower case.
    pub dtype: String,
    /// Its dimensions.
    pub shape: Vec<u64>,
    /// Its length in bytes.
    pub bytes: u64,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// The tensors that differ. Only those that stand in weights layers are known by themselves; the
/// others are in their files.
pub(super) fn compare(a: &Side<'_>, b: &Side<'_>) -> Delta<TensorEntry, TensorChange> {
    let mut delta = Delta {
        added: Vec::new(),
        removed: Vec::new(),
        changed: Vec::new(),
        unchanged: Total::default(),
    };
    for (key, pair) in paired(tensors(a.model()), tensors(b.model())) {
        match pair {
            (Some(before), Some(after)) => {
                let parts = parts(&before, &after);
                match parts.is_empty() {
                    true => delta.unchanged.add(after.bytes),
                    false => delta.changed.push(change(key, parts, before, after)),
                }
            }
            (None, Some(state)) => delta.added.push(entry(key, state)),
            (Some(state), None) => delta.removed.push(entry(key, state)),
            (None, None) => {}
        }
    }
    delta
}

/// Graph, scope and name.
type Key<'a> = (&'a str, &'a str, &'a str);

fn tensors(model: Option<&ModelManifest>) -> BTreeMap<Key<'_>, TensorState> {
    let tensors = model
        .iter()
        .flat_map(|model| model.tensors.iter().map(|tensor| (*model, tensor)));
    let states = tensors.map(|(model, tensor)| {
        let key = (tensor.graph.as_str(), &*tensor.scope, &*tensor.name);
        (key, state(model, tensor))
    });
    states.collect()
}

fn state(model: &ModelManifest, tensor: &Tensor) -> TensorState {
    // Where the tensor is its whole layer, the layer has its digest.
    let layer = || model.layers[tensor.layer as usize].digest;
    TensorState {
        dtype: tensor.dtype.clone(),
        shape: tensor.shape.clone(),
        bytes: tensor.length,
        digest: tensor.sha256.map_or_else(layer, |sha256| sha256.digest()),
    }
}

fn entry((graph, scope, name): Key<'_>, state: TensorState) -> TensorEntry {
    TensorEntry {
        graph: graph.to_owned(),
        scope: scope.to_owned(),
        name: name.to_owned(),
        state,
    }
}

fn change(
    (graph, scope, name): Key<'_>,
    parts: Vec<TensorPart>,
    before: TensorState,
    after: TensorState,
) -> TensorChange {
    TensorChange {
        graph: graph.to_owned(),
        scope: scope.to_owned(),
        name: name.to_owned(),
        parts,
        before,
        after,
    }
}

fn parts(before: &TensorState, after: &TensorState) -> Vec<TensorPart> {
    let differs = [
        (TensorPart::Dtype, before.dtype != after.dtype),
        (TensorPart::Shape, before.shape != after.shape),
        (TensorPart::Value, before.digest != after.digest),
    ];
    let differing = differs.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(part, _)| part).collect()
}
