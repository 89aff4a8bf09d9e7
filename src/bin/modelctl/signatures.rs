//! The signatures of an artifact that was resolved: found where it is, and checked.
//!
//! Everything goes by the document that the caller has resolved and goes on with: a tag that moves
//! meanwhile changes nothing (security row A34).

use modelctl::materialise::fetch_manifest;
use modelctl::oci::Document;
use modelctl::trust::TrustError;
use modelctl::trust::check::{self, Distrust, Outcome, Report, Signers};
use modelctl::trust::cosign::legacy_tag;
use modelctl::trust::find::{Found, find};
use modelctl::{Error, ErrorKind};

use crate::failure::Failure;
use crate::output::Output;
use crate::places::Spot;

/// Checks every signature of an artifact. What is wrong with them is in the report.
pub(crate) async fn check(
    spot: &Spot,
    document: &Document,
    signers: &Signers,
) -> Result<Report, Failure> {
    let found = found(spot, document).await?;
    let model = match found.needs_model() {
        true => match fetch_manifest(&spot.depot(), document).await {
            Ok(model) => Some(model),
            // Then no signature is over it.
            Err(error) if says_something(&error) => None,
            Err(error) => return Err(error.into()),
        },
        false => None,
    };
    Ok(check::check(&found, signers, model.as_ref()))
}

/// Lists every signature of an artifact, unchecked.
pub(crate) async fn list(spot: &Spot, document: &Document) -> Result<Report, Failure> {
    Ok(check::list(&found(spot, document).await?))
}

/// Fails unless the artifact is signed as it has to be; says by whom it is, and gives what it has found.
pub(crate) async fn require(
    spot: &Spot,
    document: &Document,
    signers: &Signers,
    output: &mut Output,
) -> Result<Report, Failure> {
    let report = check(spot, document, signers).await?;
    report.verdict(signers).map_err(distrusted)?;
    for valid in report
        .checks
        .iter()
        .filter(|it| it.outcome == Outcome::Valid)
    {
        output.note(format_args!(
            "{} in {}: {valid}",
            valid.form.as_str(),
            valid.source
        ))?;
    }
    Ok(report)
}

/// A verdict as a failure.
pub(crate) fn distrusted(distrust: Distrust) -> Failure {
    Failure::Library(TrustError::from(distrust).into())
}

async fn found(spot: &Spot, document: &Document) -> Result<Found, Failure> {
    let digest = document.digest();
    let legacy = match spot.with_tag(legacy_tag(&digest)).resolve().await {
        Ok(tagged) => Ok(Some(tagged)),
        Err(Failure::Library(error)) => Err(error),
        Err(other) => return Err(other),
    };
    let found = find(&spot.depot(), document, legacy).await;
    found.map_err(|error| distrusted(Distrust::unfound(digest, error)))
}

/// Whether an error is about the artifact, not about reaching it.
fn says_something(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Mismatch | ErrorKind::Unsupported | ErrorKind::NotFound
    )
}
