//! Who made a model: keys, signatures and what they are over.
//!
//! ```text
//! PrivateKey ─ Envelope (DSSE) ─ Bundle (sigstore v0.3) ─► beside a manifest, or a layer of it
//! Bundle ─ PublicKey::verify ─ Statement (in-toto) ─► what was signed, read only after its signature
//! artifact in a store ─ find ─ check ─► who has signed it, and what that proves
//! ```
//!
//! Every document here is hostile until a key that the user named has verified it: sizes are
//! bounded, JSON is strict, and the bytes that were signed are the bytes that are parsed.

pub mod attach;
mod base64;
mod bundle;
pub mod certificate;
pub mod check;
pub mod cosign;
mod dsse;
mod error;
pub mod find;
pub mod key;
pub mod keyless;
pub mod lock;
pub mod oms;
pub mod policy;
pub mod predicate;
mod put;
mod statement;

pub use bundle::{BUNDLE_V03, Bundle, BundleError, MAX_BUNDLE_SIZE, Material};
pub use dsse::{Envelope, IN_TOTO};
pub use error::TrustError;
pub use key::{KeyError, KeyId, Passphrase, PrivateKey, PublicKey, SignatureError};
pub use statement::{STATEMENT_TYPE, Statement, StatementError, Subject};
