//! Keyless signatures: a short-lived certificate names the signer, a log proves when it was used.
//!
//! ```text
//! trusted root (a file) ─ TrustedRoot ┐
//!                                     ├─ verify ─► Certified: whom the certificate names, by whom, when
//! bundle with a certificate ──────────┘
//! ```
//!
//! Nothing is fetched: the authorities and the logs that are trusted come from a file, and what they
//! have signed is in the bundle. All checks of `sigstore-verify` are on: the chain at every time that
//! is proven, the certificate's timestamp (SCT), the inclusion proof with its checkpoint, the promise
//! of the log (SET), timestamps of an authority (RFC 3161), and that the log's entry is of this
//! signature. Only "not in the future" depends on the clock, which that crate reads itself.
//!
//! Names in a trusted root are compared, never opened: no path is made of them (security row A44).

mod crypto;
mod error;
mod root;
mod verify;

pub use error::{KeylessError, TrustedRootError};
pub use root::{MAX_TRUSTED_ROOT, TrustedRoot};
pub use verify::Certified;
