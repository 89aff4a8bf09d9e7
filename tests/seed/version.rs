//! Versions of a model, the places where an earlier one may be, and the registry that has the next.

use std::fs;
use std::path::{Path, PathBuf};

use modelctl::materialise::{PullOptions, pull};
use modelctl::model::Form;
use modelctl::oci::{Descriptor, Document, media_type};
use modelctl::pack::{self, PackOptions};
use modelctl::plan::ArtifactPlan;
use modelctl::seed::{Saved, Seeded, Seeds};
use modelctl::store::{Layout, Memory};
use tempfile::TempDir;

use crate::support::models::{bytes, inline_sum};
use crate::support::plans;
use crate::support::scripted::{Honest, Scripted, Seen};
use crate::support::transport::anonymous;

/// How many floats a small tensor has, and how many one that stands alone in its layer.
const SMALL: usize = 40_000;
const LARGE: usize = 300_000;

/// A tensor of the model: name, how many floats, and the seed of its values.
pub(super) type Tensor = (String, usize, u64);

/// The tensors of the first version: two alone, and a shard of 12 MB.
pub(super) fn tensors() -> Vec<Tensor> {
    let large = (0..2).map(|i| (format!("large.{i}"), LARGE, 1000 + i));
    let small = (0..75).map(|i| (format!("small.{i:02}"), SMALL, i));
    large.chain(small).collect()
}

/// The next version: 1 % of the tensors have other values.
pub(super) fn changed() -> Vec<Tensor> {
    let mut tensors = tensors();
    tensors[30].2 += 5000;
    tensors
}

/// An artifact of one model file and its licence.
pub(super) struct Version {
    _folder: TempDir,
    pub(super) plan: ArtifactPlan,
    pub(super) model: Vec<u8>,
}

impl Version {
    pub(super) fn new(tensors: &[Tensor]) -> Self {
        Self::of(inline_sum(&borrowed(tensors)))
    }

    /// The same tensors by another version of the program that exports them.
    pub(super) fn exported_again(tensors: &[Tensor]) -> Self {
        let model = inline_sum(&borrowed(tensors));
        // ModelProto.producer_version
        Self::of([model, bytes(3, "2.0.1")].concat())
    }

    fn of(model: Vec<u8>) -> Self {
        let folder = TempDir::new().unwrap();
        let files = [("model.onnx", model.clone()), ("LICENSE", b"MIT".to_vec())];
        plans::write(folder.path(), &files);
        Self {
            plan: plans::plan(folder.path()),
            _folder: folder,
            model,
        }
    }

    pub(super) fn document(&self) -> &Document {
        &self.plan.manifest
    }

    /// Every blob of it, with its bytes.
    pub(super) fn honest(&self) -> Honest {
        let mut honest = Honest::default();
        plans::layers(&self.plan).values().for_each(|bytes| {
            honest.blob(bytes);
        });
        honest.blob(&self.plan.config);
        honest.manifest(&self.plan.manifest, "v2");
        honest
    }

    /// A registry that has it.
    pub(super) fn server(&self) -> Scripted {
        Scripted::serve(self.honest(), |_| None, None)
    }

    /// A folder that it was pulled into.
    pub(super) async fn folder(&self, form: Form) -> TempDir {
        let memory = Memory::new();
        let stored = pack::store(&self.plan, &memory, &PackOptions::default()).await;
        stored.unwrap();
        let folder = TempDir::new().unwrap();
        let options = PullOptions {
            form,
            ..PullOptions::default()
        };
        let target = folder.path().join("model");
        let pulled = pull(&memory, self.document(), &target, &options).await;
        pulled.unwrap();
        folder
    }

    /// A store that has it under a name.
    pub(super) async fn store(&self) -> TempDir {
        let folder = TempDir::new().unwrap();
        let layout = Layout::open_or_create(folder.path()).unwrap();
        let stored = pack::store(&self.plan, &layout, &PackOptions::default()).await;
        stored.unwrap();
        let manifest = self.document().descriptor();
        layout.tag_as(&manifest, "registry.example/m:v1").unwrap();
        folder
    }

    /// The layer that a number of tensors share.
    pub(super) fn shard(&self) -> Descriptor {
        let manifest = self.document().manifest().unwrap();
        let shards = manifest.layers_of(media_type::LAYER_WEIGHTS);
        shards.max_by_key(|layer| layer.size).unwrap().clone()
    }
}

fn borrowed(tensors: &[Tensor]) -> Vec<(&str, usize, u64)> {
    let borrowed = tensors
        .iter()
        .map(|(name, count, seed)| (name.as_str(), *count, *seed));
    borrowed.collect()
}

/// Where an earlier version is.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Folder(&'a Path),
    Store(&'a Path),
}

/// Looks through a place for what a version needs.
pub(super) async fn seeds(server: &Scripted, new: &Version, place: Place<'_>) -> Seeds {
    let mut seeds = Seeds::of(&anonymous(server), new.document()).await.unwrap();
    match place {
        Place::Folder(path) => seeds.add_folder(path).unwrap(),
        Place::Store(path) => seeds.add_store(&Layout::open(path).unwrap()),
    }
    seeds
}

/// Pulls the next version from a registry into `target`, which must then hold its files.
pub(super) async fn pull_seeded(
    server: &Scripted,
    new: &Version,
    place: Place<'_>,
    target: &Path,
) -> Saved {
    let seeds = seeds(server, new, place).await.into();
    let source = Seeded::new(anonymous(server), std::sync::Arc::clone(&seeds));
    let pulled = pull(&source, new.document(), target, &PullOptions::default()).await;
    pulled.unwrap();
    assert!(fs::read(target.join("model.onnx")).unwrap() == new.model);
    assert_eq!(fs::read(target.join("LICENSE")).unwrap(), b"MIT");
    seeds.saved()
}

/// A target that does not exist yet.
pub(super) fn target() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("new");
    (folder, path)
}

/// The requests of blobs that a server answered: the path, and how many bytes it sent.
pub(super) fn blob_requests(server: &Scripted) -> Vec<(String, u64)> {
    let size = |seen: &Seen| {
        let digest = seen.path().rsplit('/').next().unwrap();
        server.contents().blobs[digest].len() as u64
    };
    let length = |seen: &Seen| match seen.header("range") {
        Some(range) => {
            let (first, last) = range
                .strip_prefix("bytes=")
                .unwrap()
                .split_once('-')
                .unwrap();
            last.parse::<u64>().unwrap() + 1 - first.parse::<u64>().unwrap()
        }
        None => size(seen),
    };
    let log = server.log().into_iter();
    let gets = log.filter(|seen| seen.method == "GET" && seen.path().contains("/blobs/"));
    gets.map(|seen| (seen.path().to_owned(), length(&seen)))
        .collect()
}

/// How many bytes of blobs a server sent.
pub(super) fn sent(server: &Scripted) -> u64 {
    blob_requests(server).iter().map(|(_, length)| length).sum()
}
