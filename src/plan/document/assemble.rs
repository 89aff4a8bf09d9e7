//! Layers and the model manifest → config, OCI manifest, and the finished plan.

use std::collections::{BTreeMap, HashMap};

use crate::model::modelpack::{ModelConfig, ModelDescriptor, ModelFs, Technical, precision};
use crate::model::{FilePath, MANIFEST_PATH, MAX_MODEL_MANIFEST_SIZE, ModelManifest, Sha256};
use crate::oci::{Descriptor, Digest, Document, Manifest, annotation, media_type, rfc3339};
use crate::plan::artifact::{ArtifactPlan, PlannedLayer};
use crate::plan::compose::Composition;
use crate::plan::content::Segments;
use crate::plan::layer::{Draft, LayerKind};
use crate::plan::{PlanError, PlanOptions};

/// Where the signature stands that is made while an artifact is planned.
const SIGNATURE_PATH: &str = ".modelctl/signatures/0.sig";
/// The longest OCI manifest that is written: registries must take 4 MiB, and annotations may come.
const MAX_OCI_MANIFEST: u64 = 3 * 1024 * 1024;

/// Writes the documents of an artifact.
pub(in crate::plan) fn assemble(
    composition: &Composition,
    model_manifest: ModelManifest,
    options: &PlanOptions,
) -> Result<ArtifactPlan, PlanError> {
    let created = created(options)?;
    let bytes = model_manifest.to_bytes();
    limit("model manifest", bytes.len(), MAX_MODEL_MANIFEST_SIZE)?;
    let mut layers = vec![own_layer(LayerKind::Manifest, MANIFEST_PATH, bytes.clone())];
    if let Some(signer) = &options.signer {
        let manifest = Sha256::try_from(Digest::sha256(&bytes)).expect("it is a SHA-256");
        let signature = signer.sign(&model_manifest, manifest);
        let signature = signature.map_err(PlanError::Sign)?;
        layers.push(own_layer(LayerKind::Signature, SIGNATURE_PATH, signature));
    }
    layers.extend(planned_layers(composition, &model_manifest));
    let descriptors: Vec<Descriptor> = layers.iter().map(|l| l.descriptor.clone()).collect();
    let digests = descriptors.iter().map(|layer| layer.digest).collect();
    let config = config(&model_manifest, digests, created.clone()).to_bytes();
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: Some(media_type::MODEL.to_owned()),
        config: Descriptor::of(media_type::MODELPACK_CONFIG, &config),
        layers: descriptors,
        subject: None,
        annotations: annotations(options, created),
    };
    // A plan that a pull would refuse is refused now.
    ModelManifest::parse(&bytes, &manifest)?;
    let manifest = Document::from_manifest(manifest);
    limit("manifest", manifest.raw().len(), MAX_OCI_MANIFEST)?;
    Ok(ArtifactPlan {
        layers,
        config,
        model_manifest,
        manifest,
        left_out: Vec::new(),
    })
}

fn created(options: &PlanOptions) -> Result<Option<String>, PlanError> {
    let created = options.created;
    let text = created.map(|seconds| rfc3339(seconds).ok_or(PlanError::Date(seconds)));
    text.transpose()
}

fn limit(document: &'static str, size: usize, limit: u64) -> Result<(), PlanError> {
    let size = size as u64;
    if size <= limit {
        return Ok(());
    }
    Err(PlanError::TooLarge {
        document,
        size,
        limit,
    })
}

/// A layer that is about the others, and no draft.
fn own_layer(kind: LayerKind, path: &str, bytes: Vec<u8>) -> PlannedLayer {
    let digest = Digest::sha256(&bytes);
    let path: FilePath = path.parse().expect("the path is safe");
    let content = Segments::from(bytes);
    let draft = Draft::new(kind, path, content);
    planned_layer(&draft, digest, 0)
}

fn planned_layers<'a>(
    composition: &'a Composition,
    model_manifest: &'a ModelManifest,
) -> impl Iterator<Item = PlannedLayer> + 'a {
    let mut files: HashMap<u32, usize> = HashMap::new();
    for file in &model_manifest.files {
        let mut layers: Vec<u32> = file.extents.iter().map(|extent| extent.layer).collect();
        layers.sort_unstable();
        layers.dedup();
        for layer in layers {
            *files.entry(layer).or_default() += 1;
        }
    }
    let layers = composition.drafts.iter().zip(&model_manifest.layers);
    layers.zip(0..).map(move |((draft, layer), index)| {
        // Nothing of a file is taken from the graph layer of a split one; it is there all the same.
        let least = usize::from(draft.kind == LayerKind::Graph);
        let files = files.get(&index).copied().unwrap_or(0);
        planned_layer(draft, layer.digest, files.max(least))
    })
}

fn planned_layer(draft: &Draft, digest: Digest, files: usize) -> PlannedLayer {
    let kind = draft.kind;
    let mut descriptor = Descriptor::new(kind.media_type(), digest, draft.content.size());
    for key in [annotation::TITLE, annotation::FILEPATH] {
        let path = draft.path.as_str().to_owned();
        descriptor.annotations.insert(key.to_owned(), path);
    }
    PlannedLayer {
        descriptor,
        content: draft.content.clone(),
        kind,
        path: draft.path.clone(),
        files,
        tensors: draft.tensors,
    }
}

fn config(manifest: &ModelManifest, layers: Vec<Digest>, created: Option<String>) -> ModelConfig {
    let format = Some(manifest.format.clone()).filter(|format| format != "other");
    ModelConfig {
        descriptor: ModelDescriptor {
            created_at: created,
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            licenses: manifest.licenses.clone(),
        },
        config: Technical {
            format,
            precision: precisions(manifest),
        },
        modelfs: ModelFs::new(layers),
    }
}

/// The element types of the weights: those with the most bytes first.
fn precisions(manifest: &ModelManifest) -> Option<String> {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for tensor in &manifest.tensors {
        if let Some(name) = precision(&tensor.dtype) {
            *sizes.entry(name).or_default() += tensor.length;
        }
    }
    let mut names: Vec<(&str, u64)> = sizes.into_iter().collect();
    names.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let names: Vec<&str> = names.into_iter().map(|(name, _)| name).collect();
    Some(names.join(",")).filter(|names| !names.is_empty())
}

/// What the caller says, under the names that other tools look for; the caller's own win.
fn annotations(options: &PlanOptions, created: Option<String>) -> BTreeMap<String, String> {
    let licenses = match options.licenses.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        // An SPDX expression of expressions.
        many => Some(format!("({})", many.join(") AND ("))),
    };
    let standard = [
        (annotation::TITLE, options.name.clone()),
        (annotation::VERSION, options.version.clone()),
        (annotation::LICENSES, licenses),
        (annotation::CREATED, created),
    ];
    let standard = standard.into_iter();
    let standard = standard.filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let own = options.annotations.clone();
    standard.chain(own).collect()
}
