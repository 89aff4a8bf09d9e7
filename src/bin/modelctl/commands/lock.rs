//! `lock`: what references lead to now → `modelctl.lock`.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use modelctl::Error;
use modelctl::oci::{Digest, Document, Place, Reference};
use modelctl::trust::TrustError;
use modelctl::trust::check::Signers;
use modelctl::trust::lock::{self, Entry, Lock, Name, Put};
use modelctl::trust::policy::Policy;
use serde::Serialize;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::gating;
use crate::options::{RegistryOptions, SignerOptions};
use crate::output::Output;
use crate::places::Spot;
use crate::signatures;
use crate::text::Table;

const HELP: &str = "\
Resolves each reference and writes its digest into the lock file, which `pull --locked` and `gate \
--locked` hold to. With --key only what is signed by its owner is locked, with --policy only what \
the policy allows, and who has signed it is written down; else nothing is written. An entry that \
is there is replaced only with --update; without references, --update looks again at all of them. \
Other entries stay as they are.

Examples:
  modelctl lock registry.example/prod/mlp:v1
  modelctl lock registry.example/prod/mlp:v1 --key release.pub
  modelctl lock registry.example/prod/mlp:v1 --name classifier --policy modelctl-policy.toml
  modelctl lock registry.example/prod/mlp:v2 --name classifier --update
  modelctl lock --update
  modelctl lock --update classifier -f deploy/modelctl.lock";

/// Write what references lead to into a lock file
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct LockArgs {
    /// References of a registry; with --update names of entries as well
    #[arg(value_name = "REF", required_unless_present = "update")]
    references: Vec<Reference>,
    /// Name of the entry, by default the last part of the repository
    #[arg(long, value_name = "NAME")]
    name: Option<Name>,
    /// Replace entries that are there
    #[arg(long)]
    update: bool,
    /// Lock only what this policy allows, its smoke test left aside, and write down who has signed it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The lock file
    #[arg(long, short, value_name = "FILE", default_value = "modelctl.lock")]
    file: PathBuf,
    #[command(flatten)]
    signers: SignerOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// What was locked.
#[derive(Serialize)]
struct LockReport {
    entries: Vec<Locked>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Locked {
    name: String,
    reference: String,
    digest: Digest,
    signers: Vec<String>,
    result: &'static str,
}

impl fmt::Display for LockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::default();
        for entry in &self.entries {
            let digest = entry.digest.to_string();
            table.row([
                entry.result.to_owned(),
                entry.name.clone(),
                entry.reference.clone(),
                digest,
            ]);
        }
        table.fmt(f)
    }
}

/// What has to hold for everything that is locked.
struct Requirements {
    policy: Option<Policy>,
    signers: Option<Signers>,
}

/// Looks at every reference, and writes all of them or none.
pub(crate) async fn run(
    args: LockArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let requirements = Requirements {
        policy: match &args.policy {
            Some(path) => Some(gating::policy(path).await?),
            None => None,
        },
        signers: args.signers.signers(context)?,
    };
    let mut found = Vec::new();
    for (name, reference) in wanted(&args, context).await? {
        let entry = look(&args, reference, &requirements, context, output).await?;
        found.push((name, entry));
    }
    let (path, update) = (args.file.clone(), args.update);
    let written = blocking(move || {
        lock::change(&path, |lock| {
            let put = |(name, entry): (Name, Entry)| put(lock, name, entry, update);
            found.into_iter().map(put).collect::<Result<Vec<_>, _>>()
        })
    });
    let entries = written
        .await
        .map_err(TrustError::from)
        .map_err(Error::from)?;
    Ok(output.report(&LockReport { entries })?)
}

/// Names and references to look at: those that were given, or all that are locked.
async fn wanted(args: &LockArgs, context: &Context) -> Result<Vec<(Name, Reference)>, Failure> {
    let refused = |reason| Failure::Option {
        option: "--name",
        reason,
    };
    if args.name.is_some() && args.references.len() != 1 {
        return Err(refused("is for one reference".to_owned()));
    }
    let present = match args.update {
        true => {
            let path = args.file.clone();
            let present = blocking(move || lock::load(&path)).await;
            present.map_err(TrustError::from).map_err(Error::from)?
        }
        false => Lock::default(),
    };
    if args.references.is_empty() {
        let all = present.entries();
        return Ok(all
            .map(|(name, entry)| (name.clone(), entry.reference.clone()))
            .collect());
    }
    let mut wanted = Vec::new();
    for given in &args.references {
        if let (Some(entry), Ok(name)) =
            (present.named(&given.to_string()), given.to_string().parse())
        {
            wanted.push((name, entry.reference.clone()));
            continue;
        }
        let name = args.name.clone().map_or_else(|| Name::of(given), Ok);
        let reference = context.with_registry(given.clone(), &args.registry)?;
        wanted.push((name.map_err(refused)?, reference));
    }
    Ok(wanted)
}

/// What a reference leads to now, and who has signed it.
async fn look(
    args: &LockArgs,
    reference: Reference,
    requirements: &Requirements,
    context: &Context,
    output: &mut Output,
) -> Result<Entry, Failure> {
    let spot = context
        .open(&Place::Registry(reference.clone()), &args.registry)
        .await?;
    let document = spot.resolve().await?;
    let signers = requirements.signers(&reference, &spot, &document, output);
    Ok(Entry {
        signers: signers.await?.into_iter().collect(),
        reference,
        digest: document.digest(),
        locked: SystemTime::now(),
    })
}

impl Requirements {
    /// Who has signed what was resolved, each once; a failure unless everything holds.
    async fn signers(
        &self,
        reference: &Reference,
        spot: &Spot,
        document: &Document,
        output: &mut Output,
    ) -> Result<BTreeSet<String>, Failure> {
        let mut names = BTreeSet::new();
        if let Some(signers) = &self.signers {
            let report = signatures::require(spot, document, signers, output).await?;
            let signed = report.signed_by(signers).into_iter();
            names.extend(signed.map(|signer| signer.to_string()));
        }
        if let Some(policy) = &self.policy {
            let location = Some(reference.clone());
            let question = gating::question(reference.to_string(), location, policy, None);
            let report = gating::require(&question, spot, document, output).await?;
            names.extend(report.signers());
        }
        Ok(names)
    }
}

fn put(lock: &mut Lock, name: Name, entry: Entry, update: bool) -> Result<Locked, lock::LockError> {
    let locked = |result| Locked {
        name: name.to_string(),
        reference: entry.reference.to_string(),
        digest: entry.digest,
        signers: entry.signers.clone(),
        result,
    };
    let (added, updated, unchanged) = (locked("locked"), locked("updated"), locked("unchanged"));
    Ok(match lock.put(name, entry, update)? {
        Put::Added => added,
        Put::Updated => updated,
        Put::Unchanged => unchanged,
    })
}
