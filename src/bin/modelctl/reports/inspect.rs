//! The report of `inspect`: what an artifact is, and what its model manifest says of the model.

use std::fmt;

use modelctl::diff::interface::Signature;
use modelctl::model::{Graph, ModelManifest};
use modelctl::oci::{Descriptor, Digest, Document, Kind};
use serde::Serialize;

use super::Referring;
use crate::text::{Size, Table, count, word};

/// What was looked at, and what was found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InspectReport {
    /// What was asked for.
    pub(crate) name: String,
    /// The artifact; absent where a folder was looked at.
    #[serde(flatten)]
    pub(crate) artifact: Option<Inspected>,
    /// What refers to the artifact; absent where that could not be asked.
    #[serde(flatten)]
    pub(crate) referrers: Option<Referring>,
    /// The model manifest; absent in artifacts of other tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<ModelManifest>,
}

/// An artifact without its content.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inspected {
    digest: Digest,
    media_type: String,
    /// The type of the artifact, if the manifest says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    /// The sum of all its blobs, the manifest included, in bytes.
    pub(crate) size: u64,
    /// Its layers, or what an index lists.
    layers: Vec<Descriptor>,
}

impl From<&Document> for Inspected {
    fn from(document: &Document) -> Self {
        let (artifact_type, layers, config_size) = match document.kind() {
            Kind::Manifest(manifest) => (
                Some(manifest.artifact_type().to_owned()),
                manifest.layers.clone(),
                manifest.config.size,
            ),
            Kind::Index(index) => (index.artifact_type.clone(), index.manifests.clone(), 0),
        };
        let own_size = config_size.saturating_add(document.raw().len() as u64);
        let sizes = layers.iter().map(|layer| layer.size);
        Self {
            digest: document.digest(),
            media_type: document.media_type().to_owned(),
            artifact_type,
            size: sizes.fold(own_size, u64::saturating_add),
            layers,
        }
    }
}

impl fmt::Display for InspectReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = Table::default();
        head.row(["name".to_owned(), self.name.clone()]);
        if let Some(artifact) = &self.artifact {
            artifact.describe(&mut head);
        }
        if let Some(model) = &self.model {
            describe_model(model, &mut head);
        }
        write!(f, "{head}")?;
        if let Some(model) = &self.model {
            for graph in &model.graphs {
                write_graph(graph, f)?;
            }
            write_files(model, f)?;
            write_tests(model, f)?;
        }
        if let Some(artifact) = &self.artifact {
            artifact.write_layers(f)?;
        }
        match &self.referrers {
            Some(referring) => referring.fmt(f),
            None => Ok(()),
        }
    }
}

impl Inspected {
    fn describe(&self, head: &mut Table) {
        head.row(["digest".to_owned(), self.digest.to_string()]);
        let kind = self.artifact_type.as_ref().unwrap_or(&self.media_type);
        head.row(["type".to_owned(), kind.clone()]);
        let layers = count(self.layers.len(), "layer");
        head.row([
            "size".to_owned(),
            format!("{} in {layers}", Size(self.size)),
        ]);
    }

    fn write_layers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::with_head(["LAYER", "SIZE", "DIGEST", "TYPE"]);
        for layer in &self.layers {
            table.row([
                title(layer).to_owned(),
                Size(layer.size).to_string(),
                layer.digest.to_string(),
                layer.media_type.clone(),
            ]);
        }
        write!(f, "\n{table}")
    }
}

/// The path that a layer has for other tools.
pub(crate) fn title(layer: &Descriptor) -> &str {
    let title = layer.annotations.get(modelctl::oci::annotation::TITLE);
    title.map_or("-", String::as_str)
}

fn describe_model(model: &ModelManifest, head: &mut Table) {
    let mut row = |key: &str, value: String| head.row([key.to_owned(), value]);
    row("format", model.format.clone());
    if let Some(name) = &model.name {
        row("model", name.clone());
    }
    if let Some(version) = &model.version {
        row("version", version.clone());
    }
    if !model.licenses.is_empty() {
        row("licence", model.licenses.join(", "));
    }
    for (key, value) in &model.annotations {
        row(key, value.clone());
    }
}

fn write_graph(graph: &Graph, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let opsets = graph
        .opsets
        .iter()
        .map(|opset| match opset.domain.as_str() {
            "" => format!("ai.onnx {}", opset.version),
            domain => format!("{domain} {}", opset.version),
        });
    write!(f, "\ngraph {}", graph.path)?;
    write!(f, "  (IR {}", graph.ir_version)?;
    write!(f, ", opset {}", opsets.collect::<Vec<_>>().join(", "))?;
    let producer = [
        graph.producer.name.as_str(),
        graph.producer.version.as_str(),
    ]
    .join(" ");
    match producer.trim() {
        "" => writeln!(f, ")")?,
        producer => writeln!(f, ", by {producer})")?,
    }
    let mut table = Table::default();
    for (way, values) in [
        ("input", &graph.interface.inputs),
        ("output", &graph.interface.outputs),
    ] {
        for value in values {
            let declared = Signature(value.clone()).to_string();
            table.row([format!("  {way}"), value.name.clone(), declared]);
        }
    }
    write!(f, "{table}")
}

fn write_files(model: &ModelManifest, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut table = Table::with_head(["FILE", "SIZE", "ROLE", "SHA256"]);
    let files = model.files.iter();
    for file in files.filter(|file| file.role != modelctl::model::Role::Test) {
        table.row([
            file.path.to_string(),
            Size(file.size).to_string(),
            word(&file.role),
            file.sha256.hex(),
        ]);
    }
    write!(f, "\n{table}")
}

fn write_tests(model: &ModelManifest, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if model.tests.is_empty() {
        return Ok(());
    }
    let mut table = Table::with_head(["TEST", "GRAPH", "RTOL", "ATOL"]);
    for test in &model.tests {
        table.row([
            test.case.clone(),
            test.graph.to_string(),
            test.rtol.to_string(),
            test.atol.to_string(),
        ]);
    }
    write!(f, "\n{table}")
}
