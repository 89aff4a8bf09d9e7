//! ECDSA key pairs: P-256 with SHA-256, P-384 with SHA-384 and P-521 with SHA-512, in every form that
//! cosign and OpenSSL write.
//!
//! PEM, and a passphrase where it is sealed → [`PrivateKey`], which cannot be shown and is wiped ·
//! PEM or DER → [`PublicKey`], named by its [`KeyId`].

mod error;
mod id;
mod passphrase;
mod pem;
mod private;
mod public;
mod sealed;

pub use error::{KeyError, SignatureError};
pub use id::KeyId;
pub use passphrase::Passphrase;
pub use private::PrivateKey;
pub use public::PublicKey;

#[cfg(test)]
mod tests;
