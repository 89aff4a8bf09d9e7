//! Whom the user trusts, and how many of them have to have signed.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Form;
use crate::ErrorKind;
use crate::trust::keyless::{Certified, TrustedRoot};
use crate::trust::policy::Identity;
use crate::trust::{KeyId, PublicKey};

/// Somebody who may have signed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Signer {
    /// Whoever holds the private half of this key.
    Key(PublicKey),
    /// Whom a certificate names that the trusted root vouches for.
    Identity(Identity),
}

/// The name of a signer, in reports, policies and lock files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SignerId {
    /// A key.
    Key(KeyId),
    /// Whom a certificate names.
    #[serde(rename_all = "camelCase")]
    Identity {
        /// The pattern over identities, as it is in the policy: all whom it fits are one signer.
        identity: String,
        /// Who vouches for them.
        issuer: String,
    },
}

/// Signers, each once, with how many have to have signed and in which forms.
#[derive(Debug, Clone)]
pub struct Signers {
    signers: BTreeMap<SignerId, Signer>,
    trusted_root: Option<TrustedRoot>,
    threshold: usize,
    forms: Vec<Form>,
}

/// Why signers are no requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignersError {
    /// Nobody is named.
    #[error("no signer is named")]
    Nobody,
    /// Nobody would have to have signed.
    #[error("the threshold is 0: at least one signer has to have signed")]
    Zero,
    /// More would have to have signed than there are.
    #[error("the threshold is {threshold}, and there are {signers} different signers")]
    Unreachable {
        /// How many would have to have signed.
        threshold: usize,
        /// How many different ones there are.
        signers: usize,
    },
}

impl Signer {
    /// Its name.
    pub fn id(&self) -> SignerId {
        match self {
            Self::Key(key) => SignerId::Key(key.id()),
            Self::Identity(of) => SignerId::Identity {
                identity: of.identity.to_string(),
                issuer: of.issuer.clone(),
            },
        }
    }
}

impl fmt::Display for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key {id}"),
            Self::Identity { identity, issuer } => {
                write!(f, "identity `{identity}` of `{issuer}`")
            }
        }
    }
}

impl Signers {
    /// At least one of them has to have signed.
    pub fn any(signers: impl IntoIterator<Item = Signer>) -> Result<Self, SignersError> {
        Self::at_least(1, signers)
    }

    /// Each of them has to have signed.
    pub fn all(signers: impl IntoIterator<Item = Signer>) -> Result<Self, SignersError> {
        let any = Self::any(signers)?;
        let threshold = any.signers.len();
        Ok(Self { threshold, ..any })
    }

    /// So many different ones have to have signed. One that is named twice is one (CVE-2020-15093).
    pub fn at_least(
        threshold: usize,
        signers: impl IntoIterator<Item = Signer>,
    ) -> Result<Self, SignersError> {
        let signers = signers.into_iter().map(|signer| (signer.id(), signer));
        let signers: BTreeMap<_, _> = signers.collect();
        match (signers.len(), threshold) {
            (0, _) => Err(SignersError::Nobody),
            (_, 0) => Err(SignersError::Zero),
            (signers, threshold) if threshold > signers => {
                Err(SignersError::Unreachable { threshold, signers })
            }
            _ => Ok(Self {
                signers,
                trusted_root: None,
                threshold,
                forms: Form::SIGNATURES.to_vec(),
            }),
        }
    }

    /// The same, whose certificates are those for which this root vouches. Without one, no signature of
    /// an identity can be checked.
    pub fn trusting(mut self, root: TrustedRoot) -> Self {
        self.trusted_root = Some(root);
        self
    }

    /// The same, of which only signatures in these forms count.
    pub fn in_forms(mut self, forms: impl IntoIterator<Item = Form>) -> Self {
        self.forms = forms.into_iter().collect();
        self
    }

    /// Each signer once.
    pub fn iter(&self) -> impl Iterator<Item = &Signer> {
        self.signers.values()
    }

    /// The keys among them.
    pub(super) fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.iter().filter_map(|signer| match signer {
            Signer::Key(key) => Some(key),
            Signer::Identity(_) => None,
        })
    }

    /// Whether one of them is known by a certificate.
    pub(super) fn has_identities(&self) -> bool {
        self.iter()
            .any(|signer| matches!(signer, Signer::Identity(_)))
    }

    /// What vouches for the certificates.
    pub(super) fn trusted_root(&self) -> Option<&TrustedRoot> {
        self.trusted_root.as_ref()
    }

    /// The first of them whom a verified certificate names. It is one, whomever else it fits: nobody
    /// counts twice toward a threshold.
    pub(super) fn named_by(&self, certified: &Certified) -> Option<SignerId> {
        let mut signers = self.iter();
        let named = signers.find(|signer| match signer {
            Signer::Key(_) => false,
            Signer::Identity(of) => of.is(&certified.identity, &certified.issuer),
        });
        named.map(Signer::id)
    }

    /// Their names.
    pub fn ids(&self) -> impl Iterator<Item = &SignerId> {
        self.signers.keys()
    }

    /// How many of them have to have signed.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// Whether signatures in this form count.
    pub fn accepts(&self, form: Form) -> bool {
        self.forms.contains(&form)
    }
}

impl SignersError {
    /// What a caller can do about it.
    pub fn kind(self) -> ErrorKind {
        ErrorKind::Usage
    }
}
