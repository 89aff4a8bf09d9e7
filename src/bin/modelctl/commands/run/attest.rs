//! `run --attest`: the record of a smoke test, signed and put beside the artifact that was run.
//!
//! The worker writes what it found into a file; the key never enters its process, and the digest that
//! the statement is about is the one that was resolved here, not one that a model could change.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use clap::Args;
use modelctl::oci::{Document, Place};
use modelctl::trust::attach::{Attached, Attachment, attach};
use modelctl::trust::cosign;
use modelctl::trust::predicate::{SmokeTest, TEST_RESULT, TestResult, Verdict};
use modelctl::trust::{MAX_BUNDLE_SIZE, PrivateKey};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::context::Context;
use crate::failure::Failure;
use crate::options::PassphraseOptions;
use crate::output::Output;
use crate::places::Spot;

/// Whether the smoke test is recorded, and by whom.
#[derive(Args)]
#[command(next_help_heading = "Attestation")]
pub(super) struct AttestOptions {
    /// Sign what the smoke test found, and put it beside the artifact
    #[arg(long, requires = "key", conflicts_with_all = ["input", "graph", "rtol", "atol"])]
    attest: bool,
    /// Attest a test that failed, too: as FAILED
    #[arg(long, requires = "attest")]
    attest_failures: bool,
    /// Private key for --attest; `env://NAME` is the key itself in a variable
    #[arg(long, value_name = "KEY", requires = "attest")]
    key: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseOptions,
}

/// An attestation that is to be made.
pub(super) struct Attestation {
    key: PrivateKey,
    failures: bool,
    time: SystemTime,
    folder: TempDir,
    json: bool,
}

impl AttestOptions {
    /// Opens the key before anything is run.
    pub(super) async fn prepare(
        &self,
        place: &Place,
        context: &Context,
        output: &mut Output,
    ) -> Result<Option<Attestation>, Failure> {
        let (true, Some(key)) = (self.attest, &self.key) else {
            return Ok(None);
        };
        let reason = match place {
            Place::Path(_) => "a folder has no digest to attest: name the artifact",
            Place::Archive { .. } => "an archive is read-only: run the artifact where it is stored",
            _ => "",
        };
        if !reason.is_empty() {
            return Err(Failure::Option {
                option: "--attest",
                reason: reason.to_owned(),
            });
        }
        let key = context.private_key(key, &self.passphrase, output).await?;
        let folder = TempDir::new().map_err(Failure::file(std::env::temp_dir()))?;
        Ok(Some(Attestation {
            key,
            failures: self.attest_failures,
            time: context.now()?,
            folder,
            json: output.style().json,
        }))
    }
}

impl Attestation {
    /// What the worker is told: when it started, and where to write what it finds.
    pub(super) fn record(&self) -> (SystemTime, PathBuf) {
        (self.time, self.folder.path().join("record.json"))
    }

    /// Where the worker's report goes. As JSON it is one document with what is attested.
    pub(super) fn stdout(&self) -> Result<Stdio, Failure> {
        let path = self.report();
        match self.json {
            true => Ok(File::create(&path).map_err(Failure::file(&path))?.into()),
            false => Ok(Stdio::inherit()),
        }
    }

    fn report(&self) -> PathBuf {
        self.folder.path().join("report.json")
    }

    /// Attests what the worker has found, unless it is not to be attested; then ends as it did.
    pub(super) async fn finish(
        self,
        ran: Result<(), Failure>,
        (spot, document): (&Spot, &Document),
        output: &mut Output,
    ) -> Result<(), Failure> {
        let result = self.result(ran.is_ok(), document)?;
        let attested = match &result {
            Some(result) => Some(self.attach(result, spot, document).await?),
            None => None,
        };
        if let (Some(result), Some(attested)) = (&result, &attested) {
            let (id, digest) = (self.key.public_key().id(), attested.manifest.digest);
            output.note(format_args!(
                "{spot}: attested with key {id}: {}, {digest}",
                result.result.as_str()
            ))?;
        } else if !self.failures {
            output.note("nothing was attested: the smoke test did not pass")?;
        }
        if self.json {
            self.show(attested.as_ref(), output)?;
        }
        ran
    }

    /// What is to be attested. A worker that failed after it wrote its record has not passed.
    fn result(&self, passed: bool, document: &Document) -> Result<Option<TestResult>, Failure> {
        let (_, path) = self.record();
        let Some(record) = read(&path)? else {
            return Ok(None);
        };
        let smoke_test: SmokeTest =
            serde_json::from_slice(&record).map_err(|error| Failure::file(&path)(error.into()))?;
        let result = TestResult::new(document.manifest()?, smoke_test);
        let failed = result.result == Verdict::Failed;
        Ok(Some(result).filter(|_| failed != passed && (passed || self.failures)))
    }

    async fn attach(
        &self,
        result: &TestResult,
        spot: &Spot,
        document: &Document,
    ) -> Result<Attached, Failure> {
        let subject = document.descriptor();
        let bundle = cosign::attest(&self.key, &subject.digest, TEST_RESULT, &result.to_raw());
        let bundle = bundle.map_err(modelctl::Error::from)?;
        let attachment = Attachment::bundle(&bundle, TEST_RESULT);
        let _hold = spot.hold()?;
        Ok(attach(&spot.depot(), &subject, &attachment, self.time).await?)
    }

    /// The worker's report with what was attested.
    fn show(&self, attested: Option<&Attached>, output: &mut Output) -> Result<(), Failure> {
        let path = self.report();
        let report = fs::read(&path).map_err(Failure::file(&path))?;
        // A worker that failed early has written nothing.
        let Ok(mut report) = serde_json::from_slice::<Value>(&report) else {
            return Ok(());
        };
        if let Some(attested) = attested {
            report["attestation"] = json!({
                "digest": attested.manifest.digest,
                "key": self.key.public_key().id(),
                "predicateType": TEST_RESULT,
            });
        }
        Ok(output.report(&report)?)
    }
}

/// What the worker wrote, if it came to that, and no more than fits into a bundle.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file(path)(error)),
        Ok(file) if file.len() > MAX_BUNDLE_SIZE => Err(Failure::file(path)(io::Error::other(
            "the record of the smoke test is too large to be signed",
        ))),
        Ok(_) => Ok(Some(fs::read(path).map_err(Failure::file(path))?)),
    }
}
