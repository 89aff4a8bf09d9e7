//! The JSON of a bundle, as protobuf writes it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BUNDLE_V03, BundleError, Material};
use crate::trust::{base64, dsse};

/// Another spelling of the same version.
const BUNDLE_V03_PARAMETER: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Bundle {
    media_type: String,
    verification_material: VerificationMaterial,
    dsse_envelope: Envelope,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct VerificationMaterial {
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<PublicKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<Chain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tlog_entries: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PublicKey {
    #[serde(default)]
    hint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw_bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_details: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Certificate {
    raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Chain {
    certificates: Vec<Certificate>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    sig: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
}

fn decode(text: &str, field: &'static str) -> Result<Vec<u8>, BundleError> {
    base64::decode(text).map_err(|_| BundleError::Base64(field))
}

impl TryFrom<Bundle> for super::Bundle {
    type Error = BundleError;

    fn try_from(bundle: Bundle) -> Result<Self, BundleError> {
        if ![BUNDLE_V03, BUNDLE_V03_PARAMETER].contains(&bundle.media_type.as_str()) {
            return Err(BundleError::Version(bundle.media_type));
        }
        let log_entries = &bundle.verification_material.tlog_entries;
        Ok(Self {
            log_entries: log_entries.as_ref().map_or(0, Vec::len),
            material: bundle.verification_material.try_into()?,
            envelope: bundle.dsse_envelope.try_into()?,
        })
    }
}

impl TryFrom<VerificationMaterial> for Material {
    type Error = BundleError;

    fn try_from(material: VerificationMaterial) -> Result<Self, BundleError> {
        let key = material.public_key.map(|key| {
            let spki = key.raw_bytes.as_deref();
            let spki = spki.map(|text| decode(text, "publicKey.rawBytes"));
            Ok(Self::PublicKey {
                hint: key.hint,
                spki: spki.transpose()?,
            })
        });
        let certificate = material.certificate.map(|certificate| {
            decode(&certificate.raw_bytes, "certificate.rawBytes").map(Self::Certificate)
        });
        let chain = material.x509_certificate_chain.map(|chain| {
            let bytes = |each: &Certificate| decode(&each.raw_bytes, "certificates.rawBytes");
            let chain: Vec<_> = chain
                .certificates
                .iter()
                .map(bytes)
                .collect::<Result<_, _>>()?;
            match chain.is_empty() {
                true => Err(BundleError::EmptyChain),
                false => Ok(Self::Chain(chain)),
            }
        });
        let mut found: Vec<_> = [key, certificate, chain].into_iter().flatten().collect();
        match found.len() {
            1 => found.remove(0),
            found => Err(BundleError::Material(found)),
        }
    }
}

impl TryFrom<Envelope> for dsse::Envelope {
    type Error = BundleError;

    fn try_from(envelope: Envelope) -> Result<Self, BundleError> {
        let [signature] = envelope.signatures.as_slice() else {
            return Err(BundleError::Signatures(envelope.signatures.len()));
        };
        Ok(Self {
            payload: decode(&envelope.payload, "dsseEnvelope.payload")?,
            signature: decode(&signature.sig, "dsseEnvelope.signatures.sig")?,
            payload_type: envelope.payload_type,
        })
    }
}

impl From<&super::Bundle> for Bundle {
    fn from(bundle: &super::Bundle) -> Self {
        let certificate = |der: &Vec<u8>| Certificate {
            raw_bytes: base64::encode(der),
        };
        let mut material = VerificationMaterial::default();
        match &bundle.material {
            Material::PublicKey { hint, spki } => {
                material.public_key = Some(PublicKey {
                    hint: hint.clone(),
                    raw_bytes: spki.as_deref().map(base64::encode),
                    key_details: None,
                });
            }
            Material::Certificate(der) => material.certificate = Some(certificate(der)),
            Material::Chain(chain) => {
                material.x509_certificate_chain = Some(Chain {
                    certificates: chain.iter().map(certificate).collect(),
                });
            }
        }
        let envelope = &bundle.envelope;
        Self {
            media_type: BUNDLE_V03.to_owned(),
            verification_material: material,
            dsse_envelope: Envelope {
                payload: base64::encode(&envelope.payload),
                payload_type: envelope.payload_type.clone(),
                signatures: vec![Signature {
                    sig: base64::encode(&envelope.signature),
                    keyid: None,
                }],
            },
        }
    }
}
