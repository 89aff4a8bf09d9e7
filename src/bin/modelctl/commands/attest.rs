//! `attest`: a signed claim about an artifact, put beside it.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use modelctl::oci::{Digest, Place};
use modelctl::trust::attach::{Attachment, attach};
use modelctl::trust::cosign::{self, PredicateType};
use modelctl::trust::{KeyId, MAX_BUNDLE_SIZE};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::files::read_small;
use crate::options::{PassphraseOptions, RegistryOptions};
use crate::output::Output;

const HELP: &str = "\
The claim is an in-toto statement about the digest of the artifact, signed with the key and put \
beside it, as `cosign attest` does. What the file says is signed byte for byte; nobody checks whether \
it is true. TYPE is a URI, or one of custom, cyclonedx, link, openvex, slsaprovenance, \
slsaprovenance02, slsaprovenance1, spdx, spdxjson and vuln, as with cosign, or test-result; with \
`custom` the file may be any text. The smoke test of a model is attested with `run --attest`.

Examples:
  modelctl attest registry.example/mlp:v1 --type slsaprovenance1 --predicate p.json --key ci.key
  modelctl attest store:mlp:v1 --type https://example.com/review/v1 --predicate r.json --key r.key";

/// Sign a claim about an artifact: provenance, a bill of materials, anything in JSON
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct AttestArgs {
    /// The artifact: in a registry, the store or a layout
    #[arg(value_name = "ARTIFACT")]
    place: Place,
    /// The claim, a file of at most 8 MiB
    #[arg(long, value_name = "FILE")]
    predicate: PathBuf,
    /// What kind of claim it is, a URI or a short name
    #[arg(long = "type", value_name = "TYPE")]
    predicate_type: PredicateType,
    /// Private key; `env://NAME` is the key itself in a variable
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// The attestation; as text the digest that it is about.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttestReport {
    name: String,
    digest: Digest,
    key: KeyId,
    predicate_type: String,
    /// The manifest that holds it.
    attestation: Digest,
    is_new: bool,
}

impl fmt::Display for AttestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)
    }
}

/// Resolves the artifact once, and signs the claim about the digest that it has.
pub(crate) async fn run(
    args: AttestArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let time = context.now()?;
    let file = read(&args.predicate)?;
    let predicate = args.predicate_type.predicate(&file, time);
    let predicate = predicate.map_err(modelctl::Error::from)?;
    let spot = context.open(&args.place, &args.registry).await?;
    spot.may_be_added_to()?;
    let key = context.private_key(&args.key, &args.passphrase, output);
    let key = key.await?;
    let manifest = spot.resolve().await?.descriptor();
    let uri = args.predicate_type.uri();
    let bundle = cosign::attest(&key, &manifest.digest, uri, &predicate);
    let bundle = bundle.map_err(modelctl::Error::from)?;
    let _hold = spot.hold()?;
    let attachment = Attachment::bundle(&bundle, uri);
    let attached = attach(&spot.depot(), &manifest, &attachment, time).await?;
    let report = AttestReport {
        name: spot.to_string(),
        digest: manifest.digest,
        key: key.public_key().id(),
        predicate_type: uri.to_owned(),
        attestation: attached.manifest.digest,
        is_new: attached.is_new,
    };
    let word = match attached.is_new {
        true => "attested",
        false => "was attested already",
    };
    output.note(format_args!(
        "{spot}: {word} with key {}: {uri}",
        report.key
    ))?;
    Ok(output.report(&report)?)
}

/// Reads a file that fits into a bundle twice encoded.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let limit = MAX_BUNDLE_SIZE / 2;
    let content = read_small(path, limit)?;
    match content.len() as u64 > limit {
        true => Err(Failure::Option {
            option: "--predicate",
            reason: format!("`{}` is larger than {} MiB", path.display(), limit >> 20),
        }),
        false => Ok(content),
    }
}
