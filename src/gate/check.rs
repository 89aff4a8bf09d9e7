//! One check, how it came out, and what was found.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::{Error, ErrorKind};

/// What is checked, in the order of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// The policy has a rule for the repository.
    Rule,
    /// The name leads to something; from here on, its digest counts.
    Reference,
    /// The digest is the one that is locked.
    Lock,
    /// The manifest, the model manifest and their rules; of a folder, every file.
    Structure,
    /// Enough signers have signed.
    Signatures,
    /// An attestation that the rule asks for is there.
    Attestation,
    /// The model gives what its packer recorded.
    SmokeTest,
    /// The licences that the model names.
    Licenses,
    /// The format of the model.
    Format,
    /// The operators that its graphs use.
    Operators,
    /// The operator sets that its graphs import.
    Opsets,
    /// The sizes of its files.
    Size,
    /// A scan of the content for what is harmful.
    Scan,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is what the rule asks for.
    Pass,
    /// It is not.
    Fail,
    /// It cannot be said.
    Inconclusive,
    /// The rule does not ask for it.
    Skipped,
    /// This version does not do it; it says nothing, and the verdict does not count it.
    NotDone,
}

/// Why a check came out so; stable names for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// It was checked, and is right.
    Verified,
    /// The rule does not ask for it.
    NotAsked,
    /// There is no such check yet.
    NotDone,
    /// It is not there.
    Missing,
    /// It is there and not valid: another signer, other content, a broken rule.
    Invalid,
    /// The name leads elsewhere than when it was locked.
    Moved,
    /// It is older than the rule allows.
    TooOld,
    /// It says that it was made in the future.
    Future,
    /// An output is not the recorded one.
    Differs,
    /// The rule does not allow it.
    NotAllowed,
    /// The registry is away.
    Unavailable,
    /// It could not be checked.
    Unchecked,
}

/// What a check found: digests, key ids, dates and numbers by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Evidence(BTreeMap<&'static str, Value>);

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was checked.
    pub id: CheckId,
    /// How it came out.
    pub outcome: Outcome,
    /// Why, for programs.
    pub code: Code,
    /// Why, for people: one sentence.
    pub message: String,
    /// What was found.
    pub evidence: Evidence,
}

impl CheckId {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Reference => "reference",
            Self::Lock => "lock",
            Self::Structure => "structure",
            Self::Signatures => "signatures",
            Self::Attestation => "attestation",
            Self::SmokeTest => "smoke-test",
            Self::Licenses => "licenses",
            Self::Format => "format",
            Self::Operators => "operators",
            Self::Opsets => "opsets",
            Self::Size => "size",
            Self::Scan => "scan",
        }
    }
}

impl Outcome {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Skipped => "skipped",
            Self::NotDone => "not-done",
        }
    }
}

impl Code {
    fn outcome(self) -> Outcome {
        match self {
            Self::Verified => Outcome::Pass,
            Self::NotAsked => Outcome::Skipped,
            Self::NotDone => Outcome::NotDone,
            Self::Unavailable | Self::Unchecked => Outcome::Inconclusive,
            Self::Missing
            | Self::Invalid
            | Self::Moved
            | Self::TooOld
            | Self::Future
            | Self::Differs
            | Self::NotAllowed => Outcome::Fail,
        }
    }
}

impl Evidence {
    /// What was found under a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The names of what was found, each with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
}

impl Check {
    pub(super) fn new(id: CheckId, code: Code, message: impl Into<String>) -> Self {
        Self {
            id,
            outcome: code.outcome(),
            code,
            message: message.into(),
            evidence: Evidence::default(),
        }
    }

    /// One that the rule does not ask for.
    pub(super) fn not_asked(id: CheckId) -> Self {
        Self::new(id, Code::NotAsked, "the policy does not ask for it")
    }

    /// One that an error ended. What is away may come back; what is wrong is refused; of the rest
    /// nothing can be said.
    pub(super) fn error(id: CheckId, error: &Error) -> Self {
        Self::new(id, code_of(error.kind()), error.to_string())
    }

    /// Adds something that was found.
    pub(super) fn with(mut self, name: &'static str, value: impl Serialize) -> Self {
        // What cannot be written as JSON is left out: evidence explains, and decides nothing.
        if let Ok(value) = serde_json::to_value(value) {
            self.evidence.0.insert(name, value);
        }
        self
    }
}

/// What a kind of error says about the artifact.
pub(super) fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::NotFound => Code::Missing,
        ErrorKind::Mismatch | ErrorKind::Unsupported => Code::Invalid,
        ErrorKind::Unavailable => Code::Unavailable,
        _ => Code::Unchecked,
    }
}
