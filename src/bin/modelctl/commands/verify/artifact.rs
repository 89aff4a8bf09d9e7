//! `verify` of an artifact: its digests, then who has signed it.

use modelctl::oci::{Document, Place};
use modelctl::trust::check::{Report, Signers};
use modelctl::verify::{self, ArtifactOptions};

use crate::context::Context;
use crate::failure::Failure;
use crate::gating::Admission;
use crate::options::{RegistryOptions, SignerOptions};
use crate::output::{Output, Style};
use crate::places::Spot;
use crate::progress::{size_of, watch};
use crate::reports::{FindingsReport, SignedReport};
use crate::signatures::{self, distrusted};

/// Verifies, reports, and fails if any check failed, or if lock or policy do not allow what was
/// verified. Without signers, what signatures there are is only told.
pub(super) async fn verify(
    admission: &Admission,
    (signers, options): (&SignerOptions, &RegistryOptions),
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let (place, signers) = (admission.place(), signers.signers(context)?);
    let spot = context.open(place, options).await?;
    let document = spot.resolve().await?;
    let findings = findings(place, (&spot, &document), output.style()).await?;
    let Some(signers) = signers else {
        unsigned(findings, (&spot, &document), output).await?;
        return admission.admit(&spot, &document, false, output).await;
    };
    let checked = signatures::check(&spot, &document, &signers).await?;
    let report = SignedReport::new(findings, &checked);
    output.report(&report)?;
    report.findings.verdict()?;
    checked.verdict(&signers).map_err(distrusted)?;
    let note = format!(
        "{}, signed by {}",
        report.findings.note(),
        by(&checked, &signers)
    );
    output.note(note)?;
    admission.admit(&spot, &document, false, output).await
}

async fn findings(
    place: &Place,
    (spot, document): (&Spot, &Document),
    style: Style,
) -> Result<FindingsReport, Failure> {
    let watched = watch(spot.depot(), size_of(document), style);
    let options = ArtifactOptions {
        split_files: !matches!(spot, Spot::Repository(..)),
    };
    Ok(FindingsReport {
        name: place.to_string(),
        digest: Some(document.digest()),
        findings: verify::artifact(&watched, document, &options).await?,
    })
}

/// The report where nobody has to have signed.
async fn unsigned(
    findings: FindingsReport,
    (spot, document): (&Spot, &Document),
    output: &mut Output,
) -> Result<(), Failure> {
    let listed = signatures::list(spot, document).await;
    let report = match &listed {
        Ok(listed) => SignedReport::new(findings, listed),
        Err(_) => SignedReport::unsigned(findings),
    };
    output.report(&report)?;
    report.findings.verdict()?;
    match listed {
        Ok(_) => report.notes().try_for_each(|note| output.note(note))?,
        // Nobody has asked for it.
        Err(error) => output.note(error)?,
    }
    Ok(output.note(report.findings.note())?)
}

fn by(checked: &Report, signers: &Signers) -> String {
    let signed = checked.signed_by(signers);
    let signed: Vec<String> = signed.iter().map(ToString::to_string).collect();
    signed.join(" and ")
}
