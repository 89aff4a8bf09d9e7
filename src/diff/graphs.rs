//! What changed inside the graphs that both versions have: operators, and what they need of a runtime.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Side;
use super::delta::{Change, paired};
use crate::model::{Graph, ModelManifest};

/// A graph that differs inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphChange {
    /// The path of the graph.
    pub path: String,
    /// The IR version, if it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ir_version: Option<Change<i64>>,
    /// The operator sets that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub opsets: Vec<OpsetChange>,
    /// The operators that are used, or not used, or not as often.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<OperatorChange>,
    /// Name and version of the program that made it, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer: Option<Change<String>>,
}

/// An operator set that is imported in another version, or only by one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpsetChange {
    /// The domain; empty for `ai.onnx`.
    pub domain: String,
    /// The versions.
    #[serde(flatten)]
    pub change: Change<i64>,
}

/// An operator whose number of nodes differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorChange {
    /// The domain; empty for `ai.onnx`.
    pub domain: String,
    /// The operator.
    #[serde(rename = "type")]
    pub op_type: String,
    /// How many nodes.
    #[serde(flatten)]
    pub change: Change<u64>,
}

/// The graphs of both versions that differ inside, in the order of their paths.
pub(super) fn compare(a: &Side<'_>, b: &Side<'_>) -> Vec<GraphChange> {
    let pairs = paired(by_path(a.model()), by_path(b.model()));
    let both = pairs.into_values().filter_map(|(a, b)| a.zip(b));
    let changes = both.map(|(before, after)| change(before, after));
    changes.filter(|change| !change.is_empty()).collect()
}

/// The graphs of a model; none where there is no model manifest.
pub(super) fn by_path(model: Option<&ModelManifest>) -> BTreeMap<&str, &Graph> {
    let graphs = model.iter().flat_map(|model| &model.graphs);
    graphs.map(|graph| (graph.path.as_str(), graph)).collect()
}

impl GraphChange {
    fn is_empty(&self) -> bool {
        let lists = self.opsets.is_empty() && self.operators.is_empty();
        lists && self.ir_version.is_none() && self.producer.is_none()
    }
}

fn change(before: &Graph, after: &Graph) -> GraphChange {
    GraphChange {
        path: before.path.to_string(),
        ir_version: Change::of(Some(before.ir_version), Some(after.ir_version)),
        opsets: opsets(before, after),
        operators: operators(before, after),
        producer: Change::of(producer(before), producer(after)),
    }
}

fn opsets(before: &Graph, after: &Graph) -> Vec<OpsetChange> {
    let versions = |graph: &Graph| {
        let opsets = graph.opsets.iter();
        let pairs = opsets.map(|opset| (opset.domain.clone(), opset.version));
        pairs.collect::<BTreeMap<_, _>>()
    };
    let pairs = paired(versions(before), versions(after));
    let changes = pairs.into_iter().filter_map(|(domain, (before, after))| {
        let change = Change::of(before, after)?;
        Some(OpsetChange { domain, change })
    });
    changes.collect()
}

fn operators(before: &Graph, after: &Graph) -> Vec<OperatorChange> {
    let counts = |graph: &Graph| {
        let operators = graph.operators.iter().map(|operator| {
            let key = (operator.domain.clone(), operator.op_type.clone());
            (key, operator.count)
        });
        operators.collect::<BTreeMap<_, _>>()
    };
    let pairs = paired(counts(before), counts(after));
    let changes = pairs
        .into_iter()
        .filter_map(|((domain, op_type), (before, after))| {
            Some(OperatorChange {
                domain,
                op_type,
                change: Change::of(before, after)?,
            })
        });
    changes.collect()
}

fn producer(graph: &Graph) -> Option<String> {
    let producer = &graph.producer;
    let words = [&producer.domain, &producer.name, &producer.version];
    let words: Vec<&str> = words.map(String::as_str).into_iter().collect();
    let text = words.join(" ");
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
