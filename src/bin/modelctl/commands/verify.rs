//! `verify`: checks an artifact, a layout or a folder, and lists what it found.

mod artifact;
mod signed;

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use modelctl::oci::Place;
use modelctl::store::Layout;
use modelctl::trust::certificate::Roots;
use modelctl::trust::oms::{self, Trusted};
use modelctl::trust::{PublicKey, TrustError};
use modelctl::verify;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::gating::Admission;
use crate::options::{AdmissionOptions, RegistryOptions, SignerOptions};
use crate::output::Output;
use crate::reports::FindingsReport;

const HELP: &str = "\
Every blob and file is read and hashed. A folder may be one that `pull` wrote, in either layout, or \
that oras or modctl wrote. `oci:DIR` without a tag is the whole layout. Exit 5 if anything fails. \
With --key, who has signed an artifact or a pulled folder is checked, too, and what that does not \
prove is said; without, signatures are only listed. With --signature, any folder or file is checked \
against one that `sign` or another OpenSSF Model Signing tool made. With --policy, the artifact also \
has to be what the policy allows; its smoke test is left to `gate`.

Examples:
  modelctl verify registry.example/demo/mlp:v1
  modelctl verify registry.example/demo/mlp:v1 --key release.pub
  modelctl verify registry.example/demo/mlp:v1 --policy modelctl-policy.toml
  modelctl verify ./mlp
  modelctl verify ./mlp --key release.pub
  modelctl verify ./model --signature model.sig --key release.pub
  modelctl verify ./model --signature model.sig --certificate-chain root.pem
  modelctl verify store:demo/mlp:v1 --json
  modelctl verify oci:./layout";

/// Check digests, structure and signatures of an artifact, a layout or a pulled folder
#[derive(Args)]
#[command(after_help = HELP, group(ArgGroup::new("trusted").multiple(true)))]
pub(crate) struct VerifyArgs {
    /// The artifact or folder
    #[arg(value_name = "ARTIFACT|DIR")]
    place: Place,
    #[command(flatten)]
    signers: SignerOptions,
    /// Certificates (PEM) that are trusted to have issued that of a signer of a folder, or are it; may
    /// be given several times
    #[arg(
        long,
        value_name = "FILE",
        group = "trusted",
        help_heading = "Signatures"
    )]
    certificate_chain: Vec<PathBuf>,
    #[command(flatten)]
    signed: signed::SignedOptions,
    #[command(flatten)]
    admission: AdmissionOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Verifies, reports, and fails if any check failed.
pub(crate) async fn run(
    args: VerifyArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let admission = Admission::new(&args.admission, &args.place, context, &args.registry).await?;
    let report = match admission.place().clone() {
        place @ Place::Path(_) if !admission.is_empty() => {
            return Err(Failure::WrongPlace {
                place,
                expected: "an artifact where `--policy` or `--locked` is given; `gate` takes a folder",
            });
        }
        Place::Path(path) => {
            let signers = Signers::read(&args, context)?;
            match args.signed.signature {
                Some(_) => signed::verify(path, args.signed, signers).await?,
                None => folder(path, signers).await?,
            }
        }
        place if args.signed.signature.is_some() || !args.certificate_chain.is_empty() => {
            return Err(Failure::WrongPlace {
                place,
                expected: "a folder where `--signature` or `--certificate-chain` is given",
            });
        }
        // The signatures of a layout are those of its one artifact.
        Place::Layout { path, tag: None } if args.signers.is_empty() && admission.is_empty() => {
            layout(path).await?
        }
        _ => {
            let options = (&args.signers, &args.registry);
            return artifact::verify(&admission, options, context, output).await;
        }
    };
    output.report(&report)?;
    report.verdict()?;
    Ok(output.note(report.note())?)
}

/// Who is trusted.
struct Signers {
    keys: Vec<PublicKey>,
    roots: Vec<Roots>,
}

impl Signers {
    fn read(args: &VerifyArgs, context: &Context) -> Result<Self, Failure> {
        let roots = args.certificate_chain.iter();
        let roots = roots.map(|file| context.roots(file));
        Ok(Self {
            keys: args.signers.any_key(context)?,
            roots: roots.collect::<Result<_, _>>()?,
        })
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.roots.is_empty()
    }

    fn trusted(&self) -> Vec<Trusted<'_>> {
        let roots = self.roots.iter().map(Trusted::Roots);
        self.keys.iter().map(Trusted::Key).chain(roots).collect()
    }
}

async fn folder(path: PathBuf, signers: Signers) -> Result<FindingsReport, Failure> {
    let name = path.display().to_string();
    let findings = blocking(move || -> Result<_, modelctl::Error> {
        let mut report = verify::directory(&path)?;
        if !signers.is_empty() {
            let signatures = oms::check_pulled(&path, &report, &signers.trusted());
            report
                .findings
                .extend(signatures.map_err(TrustError::from)?);
        }
        Ok(report.findings)
    });
    Ok(FindingsReport {
        name,
        digest: None,
        findings: findings.await?,
    })
}

async fn layout(path: PathBuf) -> Result<FindingsReport, Failure> {
    let name = format!("oci:{}", path.display());
    let layout = Layout::open(&path)?;
    let findings = blocking(move || verify::layout(&layout)).await?;
    Ok(FindingsReport {
        name,
        digest: None,
        findings,
    })
}
