//! Who has made a model: signatures are found, checked, and never believed without a reason.

mod binding;
mod certificates;
mod find;
mod flips;
mod mutation;
mod oms;
mod refusals;
mod signers;
mod test_result;
mod vectors;

use modelctl::oci::Document;
use modelctl::store::{Referrers, Storage};
use modelctl::trust::check::{Report, Signer, Signers, check};
use modelctl::trust::find::find;
use modelctl::trust::{PrivateKey, PublicKey};

use crate::support::signed::Signed;

/// Any of some keys.
fn any(keys: &[&PrivateKey]) -> Signers {
    Signers::any(keys.iter().map(|key| Signer::Key(key.public_key()))).unwrap()
}

/// What is found and checked of a model in memory.
async fn checked(signed: &Signed, signers: &Signers) -> Report {
    checked_in(&signed.memory().await, signed, signers).await
}

/// The same in any store that has its signatures.
async fn checked_in<S: Storage + Referrers>(
    store: &S,
    signed: &Signed,
    signers: &Signers,
) -> Report {
    let found = find(store, &signed.document, Ok(signed.legacy.clone())).await;
    check(&found.unwrap(), signers, Some(&signed.model))
}

/// The verdict as a line: `ok`, or the code and the message.
fn verdict(report: &Report, signers: &Signers) -> String {
    match report.verdict(signers) {
        Ok(()) => "ok".to_owned(),
        Err(error) => {
            let digest = report.artifact.to_string();
            format!("{}: {error}", error.code()).replace(&digest, "D")
        }
    }
}

/// The verdict on a model in memory.
async fn verdict_of(signed: &Signed, signers: &Signers) -> String {
    verdict(&checked(signed, signers).await, signers)
}

/// A document of other bytes.
fn parsed(bytes: &[u8]) -> Document {
    Document::parse(bytes.to_vec(), None).unwrap()
}

/// The key of the vectors of cosign.
fn vector_key() -> PublicKey {
    PublicKey::parse(include_bytes!("../vectors/cosign/cosign.pub")).unwrap()
}
