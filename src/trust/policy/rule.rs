//! The policy as it is applied: keys read, patterns and amounts parsed, contradictions refused.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::document::{
    AttestationDocument, ModelDocument, RuleDocument, SignaturesDocument, SignerDocument,
};
use super::repository::RepositoryPattern;
use super::{Form, MAX_POLICY_SIZE, Pattern, PolicyDocument, PolicyError, SmokeTest};
use crate::store::Size;
use crate::trust::PublicKey;
use crate::trust::keyless::TrustedRoot;

/// What may be deployed, by repository.
#[derive(Debug, Clone)]
pub struct Policy {
    rules: Vec<Rule>,
}

/// What is asked of the artifacts of some repositories.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its place in the policy, from 1.
    pub number: usize,
    repositories: Option<Vec<RepositoryPattern>>,
    /// What vouches for the certificates of identities.
    pub trusted_root: Option<TrustedRoot>,
    /// Who must have signed; `None` where the rule says that nobody need.
    pub signatures: Option<SignatureRule>,
    /// Attestations that must be there.
    pub attestations: Vec<AttestationRule>,
    /// How it must have been shown that the model runs.
    pub smoke_test: SmokeTest,
    /// What the model may be.
    pub model: ModelRule,
}

/// Who must have signed.
#[derive(Debug, Clone)]
pub struct SignatureRule {
    /// Who may; each once.
    pub signers: Vec<Signer>,
    /// How many of them must have.
    pub threshold: usize,
    /// Which forms count.
    pub forms: Vec<Form>,
    /// What a statement over files may leave out beside modelctl's own.
    pub ignored_paths: Vec<String>,
}

/// Someone who may sign.
#[derive(Debug, Clone, PartialEq)]
pub enum Signer {
    /// Whoever holds a key.
    Key(PublicKey),
    /// Whom a certificate names.
    Identity(Identity),
}

/// Whom a certificate names, and who vouches for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Over the subject alternative name.
    pub identity: Pattern,
    /// The OIDC issuer, exactly.
    pub issuer: String,
}

impl Identity {
    /// Whether somebody is meant: the whole identity fits, and nobody else vouches for it.
    pub fn is(&self, identity: &str, issuer: &str) -> bool {
        self.issuer == issuer && self.identity.matches(identity)
    }
}

/// An attestation that must be there.
#[derive(Debug, Clone)]
pub struct AttestationRule {
    /// Its predicate type.
    pub predicate_type: String,
    /// How old it may be.
    pub max_age: Option<Duration>,
    /// Who may have signed it.
    pub signers: Vec<Signer>,
}

/// What a model may be; `None` is anything.
#[derive(Debug, Clone, Default)]
pub struct ModelRule {
    /// Licences.
    pub licenses: Option<Vec<String>>,
    /// Formats.
    pub formats: Option<Vec<String>>,
    /// Operators that may be used, as `domain:Type`.
    pub operators: Option<Vec<Pattern>>,
    /// Operators that may not be used.
    pub forbidden_operators: Vec<Pattern>,
    /// Opsets that may be imported, by domain.
    pub opsets: Option<BTreeMap<String, OpsetRange>>,
    /// The largest sum of all files, in bytes.
    pub max_size: Option<u64>,
    /// The largest file, in bytes.
    pub max_file_size: Option<u64>,
}

/// Versions of an opset, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpsetRange {
    /// The lowest.
    pub min: i64,
    /// The highest.
    pub max: i64,
}

impl Policy {
    /// Reads a policy, and the keys that it names, from the folder of the policy on.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        let text = read(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, |key| read(&folder.join(key)))
    }

    /// Parses a policy; `key` reads the files that it names: keys, and the trusted root.
    pub fn parse(
        text: &str,
        key: impl Fn(&str) -> Result<String, PolicyError>,
    ) -> Result<Self, PolicyError> {
        let document: PolicyDocument = toml::from_str(text)
            .map_err(|error| PolicyError::Malformed(error.to_string().trim_end().to_owned()))?;
        if document.version != 1 {
            let version = document.version;
            return Err(PolicyError::Malformed(format!(
                "version {version}, expected 1"
            )));
        }
        if document.rule.is_empty() {
            return Err(PolicyError::Malformed("it has no rule".to_owned()));
        }
        let root = match document.trusted_root {
            Some(file) => {
                let text = key(&file)?;
                let root = TrustedRoot::parse(text.as_bytes());
                Some(root.map_err(|cause| PolicyError::TrustedRoot { file, cause })?)
            }
            None => None,
        };
        let numbered = (1..).zip(document.rule);
        let rules = numbered.map(|(number, rule)| {
            let rule = Rule::new(number, rule, root.clone(), &key);
            rule.map_err(|refused| refused.of(number))
        });
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    /// The rule for a repository, `registry/repository`; for what is in none only a rule without
    /// patterns.
    pub fn rule_for(&self, repository: Option<&str>) -> Option<&Rule> {
        self.rules.iter().find(|rule| match &rule.repositories {
            None => true,
            Some(patterns) => {
                repository.is_some_and(|name| patterns.iter().any(|each| each.matches(name)))
            }
        })
    }
}

fn read(path: &Path) -> Result<String, PolicyError> {
    let unreadable = |source| PolicyError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    let read = file.take(MAX_POLICY_SIZE + 1).read_to_string(&mut text);
    match read.map_err(unreadable)? as u64 > MAX_POLICY_SIZE {
        true => Err(PolicyError::TooLarge),
        false => Ok(text),
    }
}

/// Why a rule is refused, without its number.
enum Refused {
    Reason(String),
    Other(PolicyError),
}

impl Refused {
    fn of(self, rule: usize) -> PolicyError {
        match self {
            Self::Reason(reason) => PolicyError::Rule { rule, reason },
            Self::Other(error) => error,
        }
    }
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

impl From<&str> for Refused {
    fn from(reason: &str) -> Self {
        Self::Reason(reason.to_owned())
    }
}

type ReadKey<'a> = &'a dyn Fn(&str) -> Result<String, PolicyError>;

impl Rule {
    fn new(
        number: usize,
        document: RuleDocument,
        trusted_root: Option<TrustedRoot>,
        key: ReadKey<'_>,
    ) -> Result<Self, Refused> {
        let signatures = match (document.signatures, document.unsigned) {
            (Some(_), true) => return Err("it has `signatures`, and accepts `unsigned`".into()),
            (None, false) => {
                return Err(
                    "it names no signers: add `signatures`, or say `unsigned = true`".into(),
                );
            }
            (None, true) => None,
            (Some(signatures), false) => Some(SignatureRule::new(number, signatures, key)?),
        };
        let signers = signatures.as_ref().map(|rule| rule.signers.as_slice());
        let attestations = document.attestations.into_iter();
        let attestations =
            attestations.map(|each| AttestationRule::new(number, each, signers, key));
        let repositories = document.repositories.as_deref();
        let repositories = repositories.map(RepositoryPattern::list);
        if repositories.as_ref().is_some_and(Vec::is_empty) {
            return Err("`repositories` is empty: leave it out for all of them".into());
        }
        Ok(Self {
            number,
            repositories,
            attestations: attestations.collect::<Result<_, _>>()?,
            signatures,
            trusted_root,
            smoke_test: document.smoke_test,
            model: ModelRule::new(document.model)?,
        })
    }
}

impl SignatureRule {
    fn new(number: usize, document: SignaturesDocument, key: ReadKey<'_>) -> Result<Self, Refused> {
        let signers = signers(number, document.signers, key)?;
        let threshold = document.threshold as usize;
        if threshold == 0 {
            return Err("`threshold` is 0: say `unsigned = true` instead".into());
        }
        if threshold > signers.len() {
            let count = signers.len();
            return Err(
                format!("`threshold` is {threshold}, and there are {count} signers").into(),
            );
        }
        if document.forms.is_empty() {
            return Err("`forms` is empty: no signature would count".into());
        }
        Ok(Self {
            signers,
            threshold,
            forms: document.forms,
            ignored_paths: document.ignored_paths,
        })
    }
}

/// The signers of a list, of whom none may be named twice: each counts once toward a threshold.
fn signers(
    number: usize,
    documents: Vec<SignerDocument>,
    key: ReadKey<'_>,
) -> Result<Vec<Signer>, Refused> {
    let mut signers = Vec::new();
    let mut ids = HashSet::new();
    for document in documents {
        let signer = Signer::new(number, document, key)?;
        let twice = match &signer {
            Signer::Key(key) => !ids.insert(key.id()),
            Signer::Identity(_) => signers.contains(&signer),
        };
        if twice {
            return Err("a signer is named twice".into());
        }
        signers.push(signer);
    }
    match signers.is_empty() {
        true => Err("`signers` is empty".into()),
        false => Ok(signers),
    }
}

impl Signer {
    fn new(number: usize, document: SignerDocument, key: ReadKey<'_>) -> Result<Self, Refused> {
        let parse = |name: String, pem: &str| {
            PublicKey::parse(pem.as_bytes())
                .map(Self::Key)
                .map_err(|cause| {
                    Refused::Other(PolicyError::Key {
                        rule: number,
                        key: name,
                        cause,
                    })
                })
        };
        let SignerDocument {
            key: file,
            pem,
            identity,
            issuer,
        } = document;
        match (file, pem, identity, issuer) {
            (Some(file), None, None, None) => {
                let pem = key(&file).map_err(Refused::Other)?;
                parse(file, &pem)
            }
            (None, Some(pem), None, None) => parse("pem".to_owned(), &pem),
            (None, None, Some(identity), Some(issuer)) if !issuer.is_empty() => {
                Ok(Self::Identity(Identity {
                    identity: Pattern::new(&identity),
                    issuer,
                }))
            }
            _ => {
                Err("a signer is `key`, `pem`, or `identity` with `issuer`, and one of them".into())
            }
        }
    }
}

impl AttestationRule {
    fn new(
        number: usize,
        document: AttestationDocument,
        of_rule: Option<&[Signer]>,
        key: ReadKey<'_>,
    ) -> Result<Self, Refused> {
        let predicate_type = document.predicate_type;
        let signers = match (document.signers, of_rule) {
            (Some(documents), _) => signers(number, documents, key)?,
            (None, Some(signers)) => signers.to_vec(),
            (None, None) => {
                return Err(format!("the attestation `{predicate_type}` names no signers").into());
            }
        };
        let age = |text: String| {
            humantime::parse_duration(&text)
                .map_err(|error| format!("`max-age` `{text}`: {error}; expected such as `30d`"))
        };
        Ok(Self {
            predicate_type,
            max_age: document.max_age.map(age).transpose()?,
            signers,
        })
    }
}

impl ModelRule {
    fn new(document: ModelDocument) -> Result<Self, Refused> {
        let bytes = |member: &str, text: Option<String>| {
            let parse = |text: String| match text.parse::<Size>() {
                Ok(Size(bytes)) => Ok(bytes),
                Err(error) => Err(format!("`{member}`: {error}")),
            };
            text.map(parse).transpose()
        };
        let opsets = document.opsets.map(|list| {
            let range = |(domain, range): (String, super::document::OpsetDocument)| {
                let (min, max) = (range.min.unwrap_or(1), range.max.unwrap_or(i64::MAX));
                (domain, OpsetRange { min, max })
            };
            list.into_iter().map(range).collect::<BTreeMap<_, _>>()
        });
        let empty = |(_, range): &(&String, &OpsetRange)| range.min > range.max;
        if let Some((domain, _)) = opsets.iter().flatten().find(empty) {
            return Err(format!("`opsets` of `{domain}` has `min` above `max`").into());
        }
        Ok(Self {
            licenses: document.licenses,
            formats: document.formats,
            operators: document.operators.map(|list| patterns(&list)),
            forbidden_operators: patterns(&document.forbidden_operators),
            opsets,
            max_size: bytes("max-size", document.max_size)?,
            max_file_size: bytes("max-file-size", document.max_file_size)?,
        })
    }
}

fn patterns(list: &[String]) -> Vec<Pattern> {
    list.iter().map(|text| Pattern::new(text)).collect()
}
