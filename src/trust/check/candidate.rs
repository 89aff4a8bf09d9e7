//! One candidate against the signers.

use super::{Form, Outcome, Report, SignatureCheck, SignerId, Signers};
use crate::model::{ModelManifest, Sha256};
use crate::oci::Digest;
use crate::trust::cosign::SimpleSigning;
use crate::trust::find::{Candidate, Content, Found};
use crate::trust::keyless::Certified;
use crate::trust::oms::{self, ModelStatement, SignedBy};
use crate::trust::{Bundle, IN_TOTO, Material, PublicKey, SignatureError, Statement};
use crate::{Error, ErrorKind};

/// Checks everything that was found. Reads nothing more: `model` is the model manifest of the
/// artifact, against which signatures over files are checked.
pub fn check(found: &Found, signers: &Signers, model: Option<&ModelManifest>) -> Report {
    let subject = Subject {
        artifact: found.artifact.digest,
        model: model.zip(found.model_manifest),
        signers,
    };
    let checks = found.candidates.iter();
    Report {
        artifact: subject.artifact,
        is_checked: true,
        checks: checks
            .map(|candidate| check_one(candidate, &subject))
            .collect(),
        others: found.others.clone(),
    }
}

/// Lists what was found without checking it against anybody.
pub fn list(found: &Found) -> Report {
    let checks = found.candidates.iter().map(|candidate| {
        let mut check = SignatureCheck::of(candidate);
        check.message = match &candidate.content {
            Err(error) => error.to_string(),
            Ok(_) => "no key was given".to_owned(),
        };
        check
    });
    Report {
        artifact: found.artifact.digest,
        is_checked: false,
        checks: checks.collect(),
        others: found.others.clone(),
    }
}

/// What is in use, and who has to have signed it.
struct Subject<'a> {
    artifact: Digest,
    /// The model manifest, and the SHA-256 of its bytes.
    model: Option<(&'a ModelManifest, Sha256)>,
    signers: &'a Signers,
}

impl Subject<'_> {
    /// Whether a verified payload of model signing covers exactly the files of the model in use, and
    /// its model manifest.
    fn is_covered(&self, payload: &[u8], signer: &SignerId) -> Result<(), String> {
        let Some((model, sha256)) = self.model else {
            return Err(
                "it is over files, and there is no model manifest that lists them".to_owned(),
            );
        };
        let signer = match signer.clone() {
            SignerId::Key(key) => SignedBy::Key(key),
            SignerId::Identity { identity, issuer } => SignedBy::Identity { identity, issuer },
        };
        let verified =
            ModelStatement::parse(payload).map(|statement| oms::Verified { signer, statement });
        let covered = verified.and_then(|verified| verified.check_model(model, sha256));
        covered.map_err(|error| error.to_string())
    }
}

fn check_one(candidate: &Candidate, subject: &Subject<'_>) -> SignatureCheck {
    let mut check = SignatureCheck::of(candidate);
    match &candidate.content {
        Ok(Content::Bundle { bundle, raw }) => check.bundle(bundle, raw, subject),
        Ok(Content::Legacy {
            payload,
            signature,
            has_certificate,
        }) => {
            check.legacy((payload, signature), *has_certificate, subject);
        }
        Ok(Content::Malformed(error)) => check.refuse(error.to_string()),
        Ok(Content::Unsigned) => check.refuse("it has no signature in its annotation"),
        Ok(Content::Misplaced(reason)) => check.refuse(reason.clone()),
        Err(error) => check.unread(error),
    }
    check
}

impl SignatureCheck {
    /// What is known of a candidate before it is checked.
    fn of(candidate: &Candidate) -> Self {
        let claimed = candidate.claimed.as_deref();
        Self {
            source: candidate.source.clone(),
            digest: candidate.blob,
            outcome: Outcome::Unchecked,
            form: match &candidate.content {
                Ok(Content::Legacy { .. } | Content::Unsigned) => Form::CosignLegacy,
                _ => claimed.map_or(Form::Unknown, Form::of_predicate),
            },
            predicate_type: candidate.claimed.clone(),
            signer: None,
            certificate: None,
            message: String::new(),
            statement: None,
            obstacle: None,
        }
    }

    fn refuse(&mut self, message: impl Into<String>) {
        self.outcome = Outcome::Invalid;
        self.message = message.into();
    }

    /// Content that is not what its digest says is invalid; anything else may be a passing trouble.
    fn unread(&mut self, error: &Error) {
        self.message = error.to_string();
        self.outcome = match error.kind() {
            ErrorKind::Mismatch if self.digest.is_some() => Outcome::Invalid,
            kind => {
                self.obstacle = Some(kind);
                Outcome::Unchecked
            }
        };
    }

    fn accept(&mut self, signer: SignerId) {
        self.outcome = Outcome::Valid;
        self.signer = Some(signer);
    }

    fn bundle(&mut self, bundle: &Bundle, raw: &[u8], subject: &Subject<'_>) {
        let verify = |key: &PublicKey| bundle.envelope.verify(key);
        let (signer, certified) = match made_by(subject.signers, verify) {
            Ok(signer) => (signer, None),
            Err(refused) => match &bundle.material {
                Material::PublicKey { .. } if refused == SignatureError::Malformed => {
                    return self.refuse(refused.to_string());
                }
                Material::PublicKey { hint, spki } => {
                    return self.not_made_by(hint, spki.as_deref(), subject.signers);
                }
                Material::Certificate(_) | Material::Chain(_) => {
                    match self.certified(bundle, raw, subject.signers) {
                        Some((signer, certified)) => (signer, Some(certified)),
                        None => return,
                    }
                }
            },
        };
        let envelope = &bundle.envelope;
        if envelope.payload_type != IN_TOTO {
            let got = &envelope.payload_type;
            return self.refuse(format!("its payload is a {got:?}, expected {IN_TOTO:?}"));
        }
        let statement = match Statement::parse(&envelope.payload) {
            Ok(statement) => statement,
            Err(error) => return self.refuse(error.to_string()),
        };
        self.form = Form::of_predicate(&statement.predicate_type);
        self.predicate_type = Some(statement.predicate_type.clone());
        let covered = match self.form {
            Form::ModelSigning => subject.is_covered(&envelope.payload, &signer),
            _ => is_about(&statement, &subject.artifact),
        };
        match covered {
            Ok(()) => {
                self.accept(signer);
                self.certificate = certified;
                self.statement = Some(statement);
            }
            Err(reason) => self.refuse(reason),
        }
    }

    /// Which of the identities the certificate of a verified keyless signature names; else says why
    /// none.
    fn certified(
        &mut self,
        bundle: &Bundle,
        raw: &[u8],
        signers: &Signers,
    ) -> Option<(SignerId, Certified)> {
        if !signers.has_identities() {
            self.other("it is by the holder of a certificate, and none is trusted");
            return None;
        }
        let Some(root) = signers.trusted_root() else {
            self.uncheckable("there is no trusted root that vouches for certificates");
            return None;
        };
        let certified = match root.verify(bundle, raw) {
            Ok(certified) => certified,
            Err(error) => {
                self.refuse(error.to_string());
                return None;
            }
        };
        let signer = signers.named_by(&certified);
        if signer.is_none() {
            self.other(&format!("it is by {certified}, who is none of the signers"));
        }
        signer.map(|signer| (signer, certified))
    }

    /// No key fits. Whether that is because it was changed, or because somebody else made it, only
    /// its hint can tell, which nobody has signed.
    fn not_made_by(&mut self, hint: &str, spki: Option<&[u8]>, signers: &Signers) {
        let ours = signers.keys().any(|key| {
            hint == key.cosign_hint() || hint == key.oms_hint() || spki == Some(key.spki())
        });
        match ours {
            true => self.refuse("the signature does not match what it is over"),
            false if signers.keys().next().is_none() => {
                self.other("it is by the holder of a key, and none is trusted");
            }
            false => self.other("it is by none of the keys given"),
        }
    }

    /// What is needed to check it is not here.
    fn uncheckable(&mut self, reason: &str) {
        self.outcome = Outcome::Unchecked;
        self.message = format!("cannot be checked: {reason}");
    }

    fn other(&mut self, message: &str) {
        self.outcome = Outcome::OtherSigner;
        self.message = message.to_owned();
    }

    fn legacy(
        &mut self,
        (payload, signature): (&[u8], &[u8]),
        has_certificate: bool,
        subject: &Subject<'_>,
    ) {
        let verify = |key: &PublicKey| key.verify(payload, signature);
        let signer = match made_by(subject.signers, verify) {
            Ok(signer) => signer,
            Err(_) if has_certificate && subject.signers.has_identities() => {
                return self.uncheckable(
                    "it is a legacy signature with a certificate; cosign 3 makes them as bundles",
                );
            }
            Err(SignatureError::Malformed) => {
                return self.refuse(SignatureError::Malformed.to_string());
            }
            Err(SignatureError::Invalid) => return self.other("it is by none of the keys given"),
        };
        match SimpleSigning::parse(payload) {
            Ok(signed) if signed.manifest() == subject.artifact => self.accept(signer),
            Ok(signed) => self.refuse(format!(
                "it is over another manifest, `{}`",
                signed.manifest()
            )),
            Err(error) => self.refuse(error.to_string()),
        }
    }
}

/// The first key whose signature it is.
fn made_by(
    signers: &Signers,
    verify: impl Fn(&PublicKey) -> Result<(), SignatureError>,
) -> Result<SignerId, SignatureError> {
    let mut refused = None;
    for key in signers.keys() {
        match verify(key) {
            Ok(()) => return Ok(SignerId::Key(key.id())),
            // Malformed may only mean that it is one of another curve.
            Err(SignatureError::Invalid) => refused = Some(SignatureError::Invalid),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or(SignatureError::Invalid))
}

/// Whether a verified statement is about the manifest in use.
fn is_about(statement: &Statement, artifact: &Digest) -> Result<(), String> {
    let sha256 = Sha256::try_from(*artifact);
    let sha256 = sha256.map_err(|digest| format!("`{digest}` is no SHA-256"))?;
    if statement.subject.iter().any(|subject| subject.is(sha256)) {
        return Ok(());
    }
    let mut named = statement.subject.iter();
    let named = named.find_map(|subject| subject.digest.get("sha256"));
    Err(match named {
        Some(hex) => format!(
            "it is over another manifest, {:?}",
            format!("sha256:{hex:.64}")
        ),
        None => "it is over no SHA-256".to_owned(),
    })
}
