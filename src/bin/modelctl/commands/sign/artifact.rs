//! `sign ARTIFACT`: bundles beside a manifest, and what cosign wrote before version 3.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use clap::Args;
use modelctl::materialise;
use modelctl::oci::{Descriptor, Digest, Document, media_type};
use modelctl::trust::attach::{Attachment, attach};
use modelctl::trust::cosign::legacy::{self, Beside};
use modelctl::trust::cosign::{self, SIGN_PREDICATE, SimpleSigning, legacy_tag};
use modelctl::trust::oms::{self, Signer};
use modelctl::trust::{KeyId, PrivateKey, TrustError};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::options::Pair;
use crate::output::Output;
use crate::places::{Spot, TagsOf};

/// What is signed, and in which forms.
#[derive(Args)]
#[command(next_help_heading = "Artifacts")]
pub(super) struct ArtifactOptions {
    /// Write a `.sig` tag as well, for readers from before cosign 3
    #[arg(long)]
    legacy: bool,
    /// Sign the files of the model as well, with OpenSSF Model Signing; no weight is read
    #[arg(long)]
    oms: bool,
    /// Annotation that is signed along; may be given several times
    #[arg(long, short, value_name = "KEY=VALUE")]
    annotation: Vec<Pair>,
}

impl ArtifactOptions {
    /// An option that was given.
    pub(super) fn first_given(&self) -> Option<&'static str> {
        match self {
            Self { legacy: true, .. } => Some("--legacy"),
            Self { oms: true, .. } => Some("--oms"),
            Self { annotation, .. } if !annotation.is_empty() => Some("--annotation"),
            Self { .. } => None,
        }
    }
}

/// What was signed; as text the digest.
#[derive(Serialize)]
struct SignReport {
    name: String,
    digest: Digest,
    key: KeyId,
    signatures: Vec<Signature>,
}

/// One signature, and where it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    form: &'static str,
    /// The manifest that holds it.
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    /// Whether it was written now; one that was there already is not written again.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_new: Option<bool>,
}

impl fmt::Display for SignReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)
    }
}

/// An artifact that is being signed.
struct Signing<'a> {
    spot: &'a Spot,
    document: &'a Document,
    manifest: Descriptor,
    key: &'a PrivateKey,
    time: SystemTime,
}

/// Resolves the artifact once, and signs the digest that it has.
pub(super) async fn sign(
    spot: &Spot,
    key: &PrivateKey,
    options: &ArtifactOptions,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    spot.may_be_added_to()?;
    let repository = options.legacy.then(|| repository(spot)).transpose()?;
    let time = context.now()?;
    let document = &spot.resolve().await?;
    let signing = Signing {
        spot,
        document,
        manifest: document.descriptor(),
        key,
        time,
    };
    let _hold = spot.hold()?;
    let annotations = pairs(&options.annotation);
    let mut signatures = Vec::new();
    if options.oms {
        signatures.push(signing.files().await?);
    }
    if let Some(repository) = repository {
        signatures.push(signing.legacy(repository, &annotations).await?);
    }
    signatures.push(signing.bundle(annotations).await?);
    let digest = signing.manifest.digest;
    let report = SignReport {
        name: spot.to_string(),
        digest,
        key: key.public_key().id(),
        signatures,
    };
    let there = report
        .signatures
        .iter()
        .all(|one| one.is_new == Some(false));
    let word = if there {
        "was signed already"
    } else {
        "signed"
    };
    output.note(format_args!("{spot}: {word} with key {}", report.key))?;
    Ok(output.report(&report)?)
}

impl Signing<'_> {
    async fn bundle(&self, annotations: BTreeMap<String, String>) -> Result<Signature, Failure> {
        let bundle = cosign::sign(self.key, &self.manifest.digest, annotations);
        let bundle = bundle.map_err(modelctl::Error::from)?;
        let attachment = Attachment::bundle(&bundle, SIGN_PREDICATE);
        self.attach("bundle", &attachment).await
    }

    async fn legacy(
        &self,
        repository: String,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Signature, Failure> {
        let digest = self.manifest.digest;
        let claim = SimpleSigning::new(repository, digest).with_annotations(annotations);
        let tag = legacy_tag(&digest);
        let (store, tags) = (self.spot.depot(), TagsOf(self.spot));
        let place = Beside {
            store: &store,
            tags: &tags,
            tag: &TagsOf::reference(tag.clone()),
        };
        Ok(Signature {
            form: "legacy",
            digest: legacy::sign(place, self.key, &claim).await?.digest,
            tag: Some(tag.to_string()),
            is_new: None,
        })
    }

    /// Signs the files that the model manifest lists.
    async fn files(&self) -> Result<Signature, Failure> {
        let manifest = self.document.manifest()?;
        let layer = manifest.layers_of(media_type::LAYER_MANIFEST).next();
        let sha256 = layer.map(|layer| layer.digest.try_into());
        let Some(Ok(sha256)) = sha256 else {
            return Err(Failure::Option {
                option: "--oms",
                reason: format!(
                    "`{}` has no model manifest, which lists the files that are signed",
                    self.spot
                ),
            });
        };
        let model = materialise::fetch_manifest(&self.spot.depot(), self.document).await?;
        let signer = Signer::new(self.key.clone());
        let bundle = signer.sign_layer(&model, sha256);
        let bundle = bundle.map_err(|error| modelctl::Error::from(TrustError::from(error)))?;
        let attachment = Attachment::bundle_bytes(bundle, oms::PREDICATE_TYPE);
        self.attach("oms", &attachment).await
    }

    async fn attach(
        &self,
        form: &'static str,
        attachment: &Attachment,
    ) -> Result<Signature, Failure> {
        let depot = self.spot.depot();
        let attached = attach(&depot, &self.manifest, attachment, self.time).await?;
        Ok(Signature {
            form,
            digest: attached.manifest.digest,
            tag: None,
            is_new: Some(attached.is_new),
        })
    }
}

/// The repository that a `.sig` signature names.
fn repository(spot: &Spot) -> Result<String, Failure> {
    match spot {
        Spot::Repository(_, reference) | Spot::Store(_, reference) => Ok(reference.name()),
        Spot::Layout(..) | Spot::Archive(..) => Err(Failure::Option {
            option: "--legacy",
            reason:
                "the signature names the repository, and a layout has none: sign in the registry \
                     or the store"
                    .to_owned(),
        }),
    }
}

fn pairs(given: &[Pair]) -> BTreeMap<String, String> {
    let pairs = given.iter();
    pairs
        .map(|pair| (pair.key.clone(), pair.value.clone()))
        .collect()
}
