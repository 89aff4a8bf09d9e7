//! What a check has found.

use std::fmt;

use serde::Serialize;

/// One thing that was checked, and how it came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing was checked.
    pub check: Check,
    /// Which one: a path, a digest, or the name of a tensor.
    pub subject: String,
    /// How it came out.
    pub outcome: Outcome,
    /// Why, for programs.
    pub code: Code,
    /// Why, for people: expected and actual. Empty where there is nothing to say.
    pub message: String,
}

/// What kind of thing was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The OCI manifest.
    Manifest,
    /// The rules of the model manifest.
    ModelManifest,
    /// The config blob.
    Config,
    /// A layer, as a blob or as a file of the split form.
    Layer,
    /// The SHA-256 of tensors.
    Tensor,
    /// An original file.
    File,
    /// A blob of a layout.
    Blob,
    /// An entry of a layout's index.
    Entry,
    /// A signature.
    Signature,
}

impl Check {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::ModelManifest => "model-manifest",
            Self::Config => "config",
            Self::Layer => "layer",
            Self::Tensor => "tensor",
            Self::File => "file",
            Self::Blob => "blob",
            Self::Entry => "entry",
            Self::Signature => "signature",
        }
    }
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is what it should be.
    Pass,
    /// It is not.
    Fail,
    /// It cannot be said without reading more than this check reads.
    Unchecked,
}

impl Outcome {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unchecked => "unchecked",
        }
    }
}

/// Why a check came out so; stable names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The content is what was promised.
    Verified,
    /// It is not there.
    Missing,
    /// It is there with another content.
    Mismatch,
    /// It breaks a rule of its format.
    Invalid,
    /// It is there, but nothing says that it should be.
    Unexpected,
    /// It is a link, a device, or anything else but a regular file.
    NotRegular,
    /// It could not be read.
    Unreadable,
    /// It is made of several ranges, or of something that failed.
    Indirect,
    /// It is a signature by somebody who was not asked for.
    OtherSigner,
}

impl Finding {
    pub(crate) fn new(check: Check, subject: impl Into<String>, code: Code) -> Self {
        let outcome = match code {
            Code::Verified => Outcome::Pass,
            Code::Indirect | Code::OtherSigner => Outcome::Unchecked,
            _ => Outcome::Fail,
        };
        Self {
            check,
            subject: subject.into(),
            outcome,
            code,
            message: String::new(),
        }
    }

    pub(crate) fn because(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Whether it fails the verification.
    pub fn is_failure(&self) -> bool {
        self.outcome == Outcome::Fail
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (outcome, check) = (self.outcome.as_str(), self.check.as_str());
        write!(f, "{outcome}: {check} `{}`", self.subject)?;
        match self.message.as_str() {
            "" => Ok(()),
            message => write!(f, ": {message}"),
        }
    }
}
