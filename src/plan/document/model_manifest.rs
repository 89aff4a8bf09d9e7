//! A composition and its digests → the model manifest.

use crate::model::{
    Dimension, File, Graph, Interface, Layer, ModelManifest, Operator, Opset, Producer, Sha256,
    Tensor, Value, role,
};
use crate::oci::Digest;
use crate::onnx::{Dim, Model, ValueInfo};
use crate::plan::PlanOptions;
use crate::plan::compose::Composition;
use crate::plan::hash::Digests;
use crate::plan::survey::Survey;

/// Writes down what the artifact is.
pub(in crate::plan) fn model_manifest(
    survey: &Survey,
    composition: &Composition,
    digests: &Digests,
    options: &PlanOptions,
) -> ModelManifest {
    let contents = survey.files.iter().map(|file| file.content);
    ModelManifest {
        schema_version: 1,
        requires: Vec::new(),
        name: options.name.clone(),
        version: options.version.clone(),
        licenses: options.licenses.clone(),
        annotations: options.annotations.clone(),
        format: role::format(contents).to_owned(),
        layers: layers(composition, digests),
        files: files(composition, digests),
        graphs: graphs(survey),
        tensors: tensors(survey, composition, digests),
        tests: composition.tests.clone(),
    }
}

fn layers(composition: &Composition, digests: &Digests) -> Vec<Layer> {
    let drafts = composition.drafts.iter().zip(&digests.layers);
    drafts
        .map(|(draft, digest)| Layer {
            digest: *digest,
            size: draft.content.size(),
            path: draft.path.clone(),
        })
        .collect()
}

fn files(composition: &Composition, digests: &Digests) -> Vec<File> {
    let entries = composition.entries.iter().zip(&digests.entries);
    entries
        .map(|(entry, digest)| File {
            path: entry.file.path.clone(),
            size: entry.file.size,
            sha256: sha256(digest),
            executable: entry.file.executable,
            role: entry.role,
            extents: entry.extents.clone(),
        })
        .collect()
}

fn tensors(survey: &Survey, composition: &Composition, digests: &Digests) -> Vec<Tensor> {
    let tensors = composition.tensors.iter().zip(&digests.tensors);
    tensors
        .map(|(&(graph, index, place), digest)| {
            let source = &survey.files[graph];
            let model = source.model.as_ref().expect("tensors are of graphs");
            let tensor = &model.tensors[index];
            Tensor {
                graph: source.file.path.clone(),
                scope: tensor.scope.clone(),
                name: tensor.name.clone(),
                dtype: tensor.data_type.name().to_owned(),
                shape: tensor.shape.clone(),
                layer: place.shard as u32,
                offset: place.offset,
                length: place.length,
                sha256: digest.as_ref().map(sha256),
            }
        })
        .collect()
}

fn sha256(digest: &Digest) -> Sha256 {
    Sha256::try_from(*digest).expect("contents are hashed with SHA-256")
}

fn graphs(survey: &Survey) -> Vec<Graph> {
    let graphs = survey.graphs();
    graphs
        .map(|(index, model)| Graph {
            path: survey.files[index].file.path.clone(),
            ir_version: model.ir_version,
            interface: Interface {
                inputs: model.inputs.iter().map(value).collect(),
                outputs: model.outputs.iter().map(value).collect(),
            },
            opsets: opsets(model),
            operators: operators(model),
            producer: Producer {
                name: model.producer_name.clone(),
                version: model.producer_version.clone(),
                domain: model.domain.clone(),
            },
        })
        .collect()
}

fn opsets(model: &Model) -> Vec<Opset> {
    let opsets = model.opsets.iter();
    opsets
        .map(|(domain, &version)| Opset {
            domain: domain.clone(),
            version,
        })
        .collect()
}

fn operators(model: &Model) -> Vec<Operator> {
    let operators = model.operators.iter();
    operators
        .map(|((domain, op_type), &count)| Operator {
            domain: domain.clone(),
            op_type: op_type.clone(),
            count,
        })
        .collect()
}

fn value(value: &ValueInfo) -> Value {
    let dimension = |dim: &Dim| match dim {
        Dim::Fixed(length) => Dimension::Fixed(*length),
        Dim::Symbol(symbol) => Dimension::Symbol(symbol.clone()),
        Dim::Unknown => Dimension::Unknown(()),
    };
    let dimensions = |shape: &Vec<Dim>| shape.iter().map(dimension).collect();
    Value {
        name: value.name.clone(),
        dtype: value.dtype.clone(),
        shape: value.shape.as_ref().map(dimensions),
    }
}
