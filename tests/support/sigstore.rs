//! An instance of sigstore: an authority that names signers, the log of its certificates, and the log of
//! signatures, of which every signature is the first and only entry. What it makes, `sigstore-verify`
//! accepts with all its checks on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modelctl::oci::Digest;
use modelctl::trust::{BUNDLE_V03, Envelope, IN_TOTO, PrivateKey};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, SanType, date_time_ymd};
use serde_json::{Value, json};
use x509_cert::Certificate;
use x509_cert::der::asn1::{OctetString, Utf8StringRef};
use x509_cert::der::{Decode as _, Encode as _};

use super::certificates::{Made, issuer, root, signer};

/// 2025-03-01: certificates are valid on this day only.
const DAY: u64 = 1_740_787_200;
/// When a signature is logged that is logged in time.
pub(crate) const IN_TIME: u64 = DAY + 300;
/// When its certificate has expired.
pub(crate) const TOO_LATE: u64 = DAY + 2 * 86_400;

/// Names of extensions of Fulcio (`sigstore/fulcio:docs/oid-info.md`) and of RFC 6962.
const ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
const TIMESTAMPS: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// The instance.
pub(crate) struct Sigstore {
    authority: Made,
    certificates: PrivateKey,
    signatures: PrivateKey,
}

impl Sigstore {
    pub(crate) fn new() -> Self {
        Self {
            authority: root(issuer("authority", None)),
            certificates: PrivateKey::generate(),
            signatures: PrivateKey::generate(),
        }
    }

    /// What a verifier has to trust.
    pub(crate) fn trusted_root(&self) -> String {
        let valid = json!({"start": "2025-01-01T00:00:00Z"});
        let log = |key: &PrivateKey| {
            json!([{
                "baseUrl": "https://log.example",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.public_key().spki()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": valid,
                },
                "logId": {"keyId": STANDARD.encode(id_of(key))},
            }])
        };
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": log(&self.signatures),
            "ctlogs": log(&self.certificates),
            "certificateAuthorities": [{
                "subject": {"organization": "example", "commonName": "authority"},
                "uri": "https://authority.example",
                "certChain": {"certificates": [{"rawBytes": STANDARD.encode(&self.authority.der)}]},
                "validFor": valid,
            }],
            "timestampAuthorities": [],
        });
        root.to_string()
    }

    /// A bundle over a statement, by an identity for whom an issuer vouches, logged at a time.
    pub(crate) fn sign(
        &self,
        (identity, issuer): (&str, &str),
        payload: &[u8],
        at: u64,
    ) -> Vec<u8> {
        let leaf = self.certify(identity, issuer);
        let key = PrivateKey::parse(leaf.key.as_bytes(), None).unwrap();
        let envelope = Envelope::sign(&key, IN_TOTO, payload.to_vec());
        let bundle = json!({
            "mediaType": BUNDLE_V03,
            "verificationMaterial": {
                "certificate": {"rawBytes": STANDARD.encode(&leaf.der)},
                "tlogEntries": [self.log(&envelope, &leaf, at)],
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(payload),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": STANDARD.encode(&envelope.signature)}],
            },
        });
        bundle.to_string().into_bytes()
    }

    /// A certificate with the promise of the log that it is in there, over the same without it.
    fn certify(&self, identity: &str, issuer: &str) -> Made {
        let mut params = signer("");
        params.distinguished_name = DistinguishedName::new();
        params.serial_number = Some(7_u64.into());
        params.not_before = date_time_ymd(2025, 3, 1);
        params.not_after = date_time_ymd(2025, 3, 2);
        params.subject_alt_names = vec![SanType::URI(identity.try_into().unwrap())];
        let issuer = Utf8StringRef::new(issuer).unwrap().to_der().unwrap();
        let issuer = CustomExtension::from_oid_content(&ISSUER, issuer);
        params.custom_extensions.push(issuer);
        let before = self.authority.issue(params.clone());
        self.promise(&before, &mut params);
        self.authority.issue_to(params, &before.key)
    }

    /// Adds the timestamp of the log to a certificate (RFC 6962, section 3.2).
    fn promise(&self, before: &Made, params: &mut CertificateParams) {
        let tbs = |der: &[u8]| {
            Certificate::from_der(der)
                .unwrap()
                .tbs_certificate()
                .clone()
        };
        let time = (DAY * 1000).to_be_bytes();
        let authority = tbs(&self.authority.der);
        let authority = authority.subject_public_key_info().to_der().unwrap();
        let authority = Digest::sha256(&authority);
        let certificate = tbs(&before.der).to_der().unwrap();
        let length = u32::try_from(certificate.len()).unwrap().to_be_bytes();
        let signed = [
            &[0, 0][..],
            &time,
            &[0, 1],
            authority.value(),
            &length[1..],
            &certificate,
            &[0, 0],
        ];
        let signature = self.certificates.sign(&signed.concat());
        let id = id_of(&self.certificates);
        let head = [&[0][..], &id, &time, &[0, 0], &[4, 3]].concat();
        let timestamp = [head, counted(signature)].concat();
        let list = OctetString::new(counted(counted(timestamp))).unwrap();
        let extension = CustomExtension::from_oid_content(&TIMESTAMPS, list.to_der().unwrap());
        params.custom_extensions.push(extension);
    }

    /// The entry of the log: the first one, with its promise and the proof that it is in there.
    fn log(&self, envelope: &Envelope, leaf: &Made, at: u64) -> Value {
        let sha256 =
            |bytes: &[u8]| json!({"algorithm": "sha256", "value": Digest::sha256(bytes).hex()});
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": sha256(b""),
                "payloadHash": sha256(&envelope.payload),
                "signatures": [{
                    "signature": STANDARD.encode(&envelope.signature),
                    "verifier": STANDARD.encode(&leaf.pem),
                }],
            },
        });
        let body = body.to_string();
        let id = id_of(&self.signatures);
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let promised = format!(
            r#"{{"body":"{}","integratedTime":{at},"logID":"{hex}","logIndex":0}}"#,
            STANDARD.encode(&body)
        );
        // RFC 6962, section 2.1: of a single entry, its hash is that of the tree.
        let tree = Digest::sha256(&[&[0], body.as_bytes()].concat());
        let tree = STANDARD.encode(tree.value());
        let note = format!("log.example\n1\n{tree}\n");
        let signature = [&id[..4], &self.signatures.sign(note.as_bytes())].concat();
        let signature = STANDARD.encode(signature);
        json!({
            "logIndex": "0",
            "logId": {"keyId": STANDARD.encode(&id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": at.to_string(),
            "inclusionPromise": {
                "signedEntryTimestamp": STANDARD.encode(self.signatures.sign(promised.as_bytes())),
            },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": tree,
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": format!("{note}\n\u{2014} log.example {signature}\n")},
            },
            "canonicalizedBody": STANDARD.encode(&body),
        })
    }
}

/// The name of a log: the SHA-256 of its key.
fn id_of(key: &PrivateKey) -> Vec<u8> {
    Digest::sha256(key.public_key().spki()).value().to_vec()
}

/// Bytes behind their number.
fn counted(bytes: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], &bytes].concat()
}
