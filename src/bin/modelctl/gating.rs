//! What the gate needs of this program: where the artifact is, who runs its smoke test, what time it
//! is; and what comes of its verdict.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use modelctl::gate::{self, Outcome, Question, Ran, Report, Runner, Subject};
use modelctl::materialise::{self, PullOptions};
use modelctl::oci::{Digest, Document, Place, Reference};
use modelctl::trust::TrustError;
use modelctl::trust::cosign::legacy_tag;
use modelctl::trust::lock::{self, Lock};
use modelctl::trust::policy::Policy;
use modelctl::{Error, ErrorKind, Result};
use serde_json::Value;

use crate::blocking::blocking;
use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::options::{AdmissionOptions, InputArgs, LockedOption, PolicyOptions, RegistryOptions};
use crate::output::{Output, Style};
use crate::places::{Depot, Spot, is_bare};
use crate::progress::{size_of, watch};
use crate::seeding::{SeedFolders, seeded};
use crate::text::Table;
use crate::worker::{self, Answer, RuntimeOptions, Smoke, Task};

/// The policy that was named, read.
pub(crate) async fn policy(path: &Path) -> Result<Policy, Failure> {
    let path = path.to_owned();
    let policy = blocking(move || Policy::load(&path)).await;
    Ok(policy.map_err(TrustError::from).map_err(Error::from)?)
}

/// The lock file that was named, read, if one was.
pub(crate) async fn locked(option: &LockedOption) -> Result<Option<Lock>, Failure> {
    let Some(path) = option.locked.clone() else {
        return Ok(None);
    };
    let lock = blocking(move || lock::load(&path)).await;
    Ok(Some(lock.map_err(TrustError::from).map_err(Error::from)?))
}

/// The place that was meant: with a lock file, the name of an entry stands for its reference.
pub(crate) fn named(place: &Place, lock: Option<&Lock>) -> Place {
    let entry = match (place, lock) {
        (Place::Registry(reference), Some(lock))
            if reference.registry().is_none() && is_bare(reference) =>
        {
            lock.named(&reference.to_string())
        }
        _ => None,
    };
    match entry {
        Some(entry) => Place::Registry(entry.reference.clone()),
        None => place.clone(),
    }
}

/// Where in registries something is, as far as policies and locks are concerned: what `--as` says of a
/// place that is in none, and nothing else of one that is in one.
pub(crate) fn location(
    place: &Place,
    options: &PolicyOptions,
    context: &Context,
    registry: &RegistryOptions,
) -> Result<Option<Reference>, Failure> {
    match (place, &options.r#as) {
        (Place::Registry(_), Some(_)) => Err(Failure::Option {
            option: "--as",
            reason: "is for what is in no registry: the policy goes by where this is".to_owned(),
        }),
        (Place::Registry(reference), None) => {
            context.with_registry(reference.clone(), registry).map(Some)
        }
        (_, Some(reference)) if reference.registry().is_none() => Err(Failure::Option {
            option: "--as",
            reason: format!("expected REGISTRY/REPOSITORY, and `{reference}` names no registry"),
        }),
        (_, given) => Ok(given.clone()),
    }
}

/// The question about something that is called `name` and stands at `location`.
pub(crate) fn question<'a>(
    name: String,
    location: Option<Reference>,
    policy: &'a Policy,
    lock: Option<&'a Lock>,
) -> Question<'a> {
    Question {
        name,
        repository: location.as_ref().map(Reference::name),
        policy,
        lock,
        reference: location,
        as_layers: false,
        now: SystemTime::now(),
    }
}

/// What has to hold before anything of an artifact is used: a lock, a policy, both or neither.
pub(crate) struct Admission {
    place: Place,
    location: Option<Reference>,
    policy: Option<Policy>,
    lock: Option<Lock>,
}

impl Admission {
    /// Reads what was named. A file that cannot be used ends the command.
    pub(crate) async fn new(
        options: &AdmissionOptions,
        place: &Place,
        context: &Context,
        registry: &RegistryOptions,
    ) -> Result<Self, Failure> {
        let policy = match &options.policy {
            Some(path) => Some(policy(path).await?),
            None => None,
        };
        let lock = locked(&options.locked).await?;
        let place = named(place, lock.as_ref());
        let location = match policy.is_some() || lock.is_some() {
            true => location(&place, &options.location, context, registry)?,
            false if options.location.r#as.is_some() => {
                return Err(Failure::Option {
                    option: "--as",
                    reason: "is for --policy and --locked".to_owned(),
                });
            }
            false => None,
        };
        Ok(Self {
            place,
            location,
            policy,
            lock,
        })
    }

    /// Whether neither a policy nor a lock was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.policy.is_none() && self.lock.is_none()
    }

    /// The place that was meant.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Fails unless what was resolved is what is locked, and what the policy allows. `as_layers` says
    /// that graphs without their weights are used, which signatures over files say nothing of.
    pub(crate) async fn admit(
        &self,
        spot: &Spot,
        document: &Document,
        as_layers: bool,
        output: &mut Output,
    ) -> Result<(), Failure> {
        if let Some(lock) = &self.lock {
            let reference = self.location.clone().ok_or_else(|| Failure::Option {
                option: "--locked",
                reason: format!("`{}` is in no registry (give --as)", self.place),
            })?;
            let digest = document.digest();
            let reference = match is_bare(&reference) {
                true => reference.with_digest(digest),
                false => reference,
            };
            let held = lock.hold(&reference, &digest);
            held.map_err(TrustError::from).map_err(Error::from)?;
        }
        if let Some(policy) = &self.policy {
            let (name, location) = (self.place.to_string(), self.location.clone());
            let question = Question {
                as_layers,
                ..question(name, location, policy, self.lock.as_ref())
            };
            require(&question, spot, document, output).await?;
        }
        Ok(())
    }
}

/// Asks about an artifact that was resolved, without running anything, and fails unless the policy
/// allows it.
pub(crate) async fn require(
    question: &Question<'_>,
    spot: &Spot,
    document: &Document,
    output: &mut Output,
) -> Result<Report, Failure> {
    let resolved = Ok(document.clone());
    let report = gate::artifact(question, resolved, &Judged::new(spot), None::<&Tester<'_>>).await;
    show(&report, output)?;
    verdict(&report)?;
    Ok(report)
}

/// The checks on stderr, one a line.
pub(crate) fn show(report: &Report, output: &mut Output) -> Result<(), Failure> {
    let mut table = Table::default();
    for check in &report.checks {
        let outcome = match check.outcome {
            Outcome::Fail => "FAIL".to_owned(),
            other => other.as_str().to_owned(),
        };
        table.row([outcome, check.id.as_str().to_owned(), check.message.clone()]);
    }
    Ok(output.note(table.to_string().trim_end())?)
}

/// Fails unless it may be deployed.
pub(crate) fn verdict(report: &Report) -> Result<(), Failure> {
    if report.is_allowed() {
        return Ok(());
    }
    let mut obstacles = report.obstacles();
    let reason = match obstacles.next() {
        Some(check) => format!("{}: {}", check.id.as_str(), check.message),
        None => "not everything was checked".to_owned(),
    };
    Err(Failure::Refused {
        name: report.name.clone(),
        verdict: report.verdict,
        reason,
    })
}

/// An artifact in a place that is open.
pub(crate) struct Judged {
    spot: Spot,
    depot: Depot,
}

impl Judged {
    pub(crate) fn new(spot: &Spot) -> Self {
        Self {
            spot: spot.clone(),
            depot: spot.depot(),
        }
    }
}

impl Subject for Judged {
    type Store = Depot;

    fn store(&self) -> &Depot {
        &self.depot
    }

    async fn legacy(&self, manifest: &Digest) -> Result<Option<Document>> {
        match self.spot.with_tag(legacy_tag(manifest)).resolve().await {
            Ok(document) => Ok(Some(document)),
            Err(Failure::Library(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(Failure::Library(error)) => Err(error),
            // The name has a tag, which is all that could be missing.
            Err(_) => Ok(None),
        }
    }
}

/// Who runs smoke tests: a worker, in a temporary folder.
pub(crate) struct Tester<'a> {
    pub(crate) name: String,
    /// Where the artifact is; a folder is where it is.
    pub(crate) spot: Option<&'a Spot>,
    pub(crate) context: &'a Context,
    pub(crate) runtime: &'a RuntimeOptions,
    pub(crate) threads: usize,
    pub(crate) style: Style,
}

impl Runner for Tester<'_> {
    async fn run_artifact(&self, artifact: &Document) -> Ran {
        match self.fetched(artifact).await {
            Ok(ran) => ran,
            Err(Failure::Library(error)) => Ran::Error(error),
            Err(other) => Ran::Unable(other.to_string()),
        }
    }

    async fn run_folder(&self, folder: &Path) -> Ran {
        match self.run(folder.to_owned()).await {
            Ok(ran) => ran,
            Err(failure) => Ran::Unable(failure.to_string()),
        }
    }
}

impl Tester<'_> {
    /// Brings the files into a temporary folder beside the blobs of the store, and runs them there.
    async fn fetched(&self, artifact: &Document) -> Result<Ran, Failure> {
        let Some(spot) = self.spot else {
            return Ok(Ran::Unable("nobody knows where it is".to_owned()));
        };
        let folder = self.context.scratch()?;
        let target = folder.path().join("model");
        let (seeding, _) = seeded(spot, artifact, SeedFolders::default(), self.context).await?;
        let watched = watch(seeding.source, size_of(artifact), self.style);
        materialise::pull(&watched, artifact, &target, &PullOptions::default()).await?;
        drop(watched);
        match self.run(target).await {
            // What was fetched is right, so that any failure from here on is not the artifact's.
            Err(failure) => Ok(Ran::Unable(failure.to_string())),
            ran => ran,
        }
    }

    async fn run(&self, folder: PathBuf) -> Result<Ran, Failure> {
        let task = Task::Smoke(Smoke {
            name: self.name.clone(),
            folder,
            graph: None,
            rtol: None,
            atol: None,
            inputs: InputArgs::default(),
            threads: self.threads,
            record: None,
        });
        Ok(ran(&worker::ask(task, self.runtime, self.context).await?))
    }
}

/// What a worker's answer says. Whatever is not understood is no success.
fn ran(answer: &Answer) -> Ran {
    let report: Value = serde_json::from_slice(&answer.stdout).unwrap_or_default();
    let Some(cases) = report["cases"].as_array() else {
        let reason = answer.reason();
        return match answer.code {
            exit::MISMATCH | exit::FAILED => Ran::Failed(reason),
            _ => Ran::Unable(reason),
        };
    };
    let outputs = cases
        .iter()
        .flat_map(|case| case["outputs"].as_array().into_iter().flatten());
    let (mut compared, mut differing) = (0, 0);
    for output in outputs {
        match output["result"].as_str() {
            Some("equal") => compared += 1,
            Some("notStored" | "notTensor") => {}
            _ => {
                compared += 1;
                differing += 1;
            }
        }
    }
    if (answer.code == exit::OK) != (differing == 0) {
        return Ran::Unable(answer.reason());
    }
    Ran::Done {
        cases: cases.len(),
        compared,
        differing,
        runtime: report["runtime"]["version"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    }
}
