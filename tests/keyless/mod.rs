//! Keyless signatures, from bundles that others made: `tests/vectors/keyless`.

mod identities;
mod roots;
mod tampering;

use std::fs;

use modelctl::trust::Bundle;
use modelctl::trust::keyless::{Certified, TrustedRoot};

const WORKFLOW: &str =
    "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main";
const WORKFLOW_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The predicate of both attestations.
const PREDICATE: &str = "https://schemas.conda.org/attestations-publish-1.schema.json";
/// What both attestations are over.
const SUBJECT: &str = "sha256:54303491a8418fbed24344b513546182c29b43bf282ceb433af65e2299f9271f";

fn vector(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keyless");
    fs::read(format!("{folder}/{name}.json")).unwrap()
}

fn root(name: &str) -> TrustedRoot {
    TrustedRoot::parse(&vector(name)).unwrap()
}

/// Who has signed, or why that is not known.
fn verify(root: &TrustedRoot, raw: &[u8]) -> Result<Certified, String> {
    let bundle = Bundle::parse(raw).map_err(|error| error.to_string())?;
    root.verify(&bundle, raw).map_err(|error| error.to_string())
}
