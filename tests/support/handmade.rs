//! A small artifact made by hand: a split model, files, tests and a signature, of arbitrary bytes.
//!
//! It is what the format says, not what `pack` makes of it, so that reading is tested against the
//! format. Every blob can be exchanged for another one under the same digest.

use std::collections::BTreeMap;
use std::ops::Range;

use modelctl::model::{Extent, File, FilePath, Layer, ModelManifest, Role, Sha256, Test};
use modelctl::oci::{Descriptor, Digest, Document, Manifest, annotation, media_type};
use modelctl::store::{BlobSource, Storage, VerifyReader, check_range};
use modelctl::{Result, model};

/// Blobs by digest, whatever their bytes really are.
#[derive(Debug, Default, Clone)]
pub(crate) struct Blobs(pub(crate) BTreeMap<Digest, Vec<u8>>);

impl Blobs {
    fn bytes(&self, blob: &Descriptor) -> Result<std::io::Cursor<Vec<u8>>> {
        let place = "the test".to_owned();
        let missing = modelctl::store::StoreError::BlobNotFound {
            blob: blob.digest,
            place,
        };
        let bytes = self.0.get(&blob.digest).ok_or(missing)?;
        Ok(std::io::Cursor::new(bytes.clone()))
    }
}

impl Storage for Blobs {
    type Reader = VerifyReader<std::io::Cursor<Vec<u8>>>;

    async fn fetch(&self, blob: &Descriptor) -> Result<Self::Reader> {
        Ok(VerifyReader::new(self.bytes(blob)?, blob))
    }

    async fn fetch_unverified(&self, blob: &Descriptor) -> Result<Self::Reader> {
        Ok(VerifyReader::of_part(self.bytes(blob)?, blob, blob.size))
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Self::Reader> {
        let length = check_range(blob, &range)?;
        let mut bytes = self.bytes(blob)?.into_inner();
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        let part = std::io::Cursor::new(bytes.drain(range).collect());
        Ok(VerifyReader::of_part(part, blob, length))
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        Ok(self.0.contains_key(&blob.digest))
    }

    async fn push(&self, _: &Descriptor, _: &dyn BlobSource) -> Result<()> {
        unreachable!("nothing is pushed to it")
    }
}

/// An artifact that can be changed before it is finished.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    /// The blobs of the layers and of the config.
    pub(crate) blobs: Blobs,
    /// The layers but for the model manifest.
    pub(crate) layers: Vec<Descriptor>,
    /// The model manifest.
    pub(crate) model: ModelManifest,
    /// What the original files hold.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// Bytes that differ from seed to seed and have no short period.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub(crate) fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    Digest::sha256(bytes).try_into().unwrap()
}

impl Artifact {
    /// Nothing yet.
    pub(crate) fn empty() -> Self {
        let mut blobs = Blobs::default();
        blobs.0.insert(Digest::sha256(b"{}"), b"{}".to_vec());
        let model = br#"{"schemaVersion":1,"format":"other","layers":[],"files":[]}"#;
        Self {
            blobs,
            layers: vec![],
            model: ModelManifest::parse_alone(model).unwrap(),
            files: BTreeMap::new(),
        }
    }

    /// Adds a layer and says which one it is.
    pub(crate) fn layer(&mut self, media_type: &str, title: &str, bytes: &[u8]) -> u32 {
        let mut descriptor = Descriptor::of(media_type, bytes);
        for key in [annotation::TITLE, annotation::FILEPATH] {
            descriptor
                .annotations
                .insert(key.to_owned(), title.to_owned());
        }
        if media_type != media_type::LAYER_SIGNATURE {
            self.model.layers.push(Layer {
                digest: descriptor.digest,
                size: descriptor.size,
                path: path(title),
            });
        }
        self.blobs.0.insert(descriptor.digest, bytes.to_vec());
        self.layers.push(descriptor);
        u32::try_from(self.model.layers.len())
            .unwrap()
            .wrapping_sub(1)
    }

    /// Adds a file that is made of ranges of layers.
    pub(crate) fn file(&mut self, name: &str, role: Role, extents: &[(u32, u64, u64)]) {
        let mut content = Vec::new();
        for (layer, offset, length) in extents {
            let blob = &self.blobs.0[&self.model.layers[*layer as usize].digest];
            let (start, end) = (*offset as usize, (offset + length) as usize);
            content.extend_from_slice(&blob[start..end]);
        }
        self.model.files.push(File {
            path: path(name),
            size: content.len() as u64,
            sha256: sha256(&content),
            executable: name.ends_with(".sh"),
            role,
            extents: extents.iter().copied().map(Extent::from).collect(),
        });
        self.files.insert(name.to_owned(), content);
    }

    /// A model of every kind of layer; the shards are longer than a buffer.
    pub(crate) fn split_model() -> Self {
        let mut artifact = Self::empty();
        artifact.layer(
            media_type::LAYER_SIGNATURE,
            ".modelctl/signatures/0.sig",
            b"{\"sig\":0}",
        );
        let graph = noise(1, 700);
        artifact.layer(media_type::LAYER_GRAPH, "model.onnx", &graph);
        let first = artifact.layer(
            media_type::LAYER_WEIGHTS,
            "model.onnx_data_0",
            &noise(2, 2_500_000),
        );
        let second = artifact.layer(
            media_type::LAYER_WEIGHTS,
            "model.onnx_data_1",
            &noise(3, 8192),
        );
        let skeleton = artifact.layer(
            media_type::LAYER_SKELETON,
            ".modelctl/skeleton/model.onnx",
            &noise(4, 900),
        );
        let tests = artifact.layer(
            media_type::LAYER_TESTS,
            ".modelctl/tests.tar",
            &noise(5, 4096),
        );
        let labels = artifact.layer(
            media_type::LAYER_FILE,
            "sub folder/labels.txt",
            &noise(6, 1234),
        );
        let script = artifact.layer(media_type::LAYER_FILE, "run.sh", &noise(7, 77));
        artifact.file(
            ".modelctl/tests/case_0/input_0.pb",
            Role::Test,
            &[(tests, 512, 100)],
        );
        artifact.file(
            ".modelctl/tests/case_0/output_0.pb",
            Role::Test,
            &[(tests, 1024, 50)],
        );
        artifact.file("copy of labels", Role::Other, &[(labels, 0, 1234)]);
        artifact.file("empty/file", Role::Other, &[]);
        let model = [
            (skeleton, 0, 300),
            (second, 4096, 4000),
            (skeleton, 300, 1),
            (first, 1_048_000, 1_400_000),
            (first, 0, 1_048_000),
            (skeleton, 301, 599),
        ];
        artifact.file("model.onnx", Role::Graph, &model);
        artifact.file("run.sh", Role::Code, &[(script, 0, 77)]);
        artifact.file("sub folder/labels.txt", Role::Labels, &[(labels, 0, 1234)]);
        artifact.model.graphs.push(model::Graph {
            path: path("model.onnx"),
            ir_version: 8,
            interface: model::Interface::default(),
            opsets: vec![],
            operators: vec![],
            producer: model::Producer::default(),
        });
        artifact.model.tests.push(Test {
            case: "case_0".to_owned(),
            graph: path("model.onnx"),
            rtol: 0.001,
            atol: 0.00001,
            shapes: BTreeMap::new(),
        });
        artifact
    }

    /// Writes the model manifest and the OCI manifest.
    pub(crate) fn finish(&self) -> (Blobs, Document) {
        let mut own = Descriptor::of(media_type::LAYER_MANIFEST, &self.model.to_bytes());
        for key in [annotation::TITLE, annotation::FILEPATH] {
            own.annotations
                .insert(key.to_owned(), ".modelctl/manifest.json".to_owned());
        }
        let mut blobs = self.blobs.clone();
        blobs.0.insert(own.digest, self.model.to_bytes());
        let layers = [own].into_iter().chain(self.layers.iter().cloned());
        (blobs, document(media_type::MODEL, layers.collect()))
    }
}

/// An OCI manifest of some layers.
pub(crate) fn document(artifact_type: &str, layers: Vec<Descriptor>) -> Document {
    Document::from_manifest(Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: Some(artifact_type.to_owned()),
        config: Descriptor::of(media_type::MODELPACK_CONFIG, b"{}"),
        layers,
        subject: None,
        annotations: BTreeMap::new(),
    })
}

/// Every file below a folder with its content, by path.
pub(crate) fn read_tree(root: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Blobs that stop coming half-way until the gate is opened.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    blobs: Blobs,
    /// How many blobs have come half-way.
    halfway: std::sync::Arc<tokio::sync::Semaphore>,
    open: tokio::sync::watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn new(blobs: Blobs) -> Self {
        Self {
            blobs,
            halfway: std::sync::Arc::new(tokio::sync::Semaphore::new(0)),
            open: tokio::sync::watch::Sender::new(false),
        }
    }

    /// Waits until a number of blobs have come half-way.
    pub(crate) async fn halfway(&self, blobs: u32) {
        self.halfway.acquire_many(blobs).await.unwrap().forget();
    }

    /// Lets everything through from now on.
    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }
}

impl Storage for Gate {
    type Reader = VerifyReader<tokio::io::DuplexStream>;

    async fn fetch(&self, blob: &Descriptor) -> Result<Self::Reader> {
        let reader = self.open_part(blob, 0..blob.size)?;
        Ok(VerifyReader::new(reader, blob))
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Self::Reader> {
        let length = check_range(blob, &range)?;
        Ok(VerifyReader::of_part(
            self.open_part(blob, range)?,
            blob,
            length,
        ))
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        self.blobs.exists(blob).await
    }

    async fn push(&self, _: &Descriptor, _: &dyn BlobSource) -> Result<()> {
        unreachable!("nothing is pushed to it")
    }
}

impl Gate {
    fn open_part(&self, blob: &Descriptor, range: Range<u64>) -> Result<tokio::io::DuplexStream> {
        use tokio::io::AsyncWriteExt as _;
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        let bytes = self.blobs.bytes(blob)?.into_inner()[range].to_vec();
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        let (halfway, mut open) = (self.halfway.clone(), self.open.subscribe());
        // The model manifest comes whole.
        let is_manifest = blob.media_type == media_type::LAYER_MANIFEST;
        tokio::spawn(async move {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            far.write_all(first).await?;
            if !is_manifest {
                halfway.add_permits(1);
                let _ = open.wait_for(|open| *open).await;
            }
            far.write_all(second).await
        });
        Ok(near)
    }
}
