//! Everything that is, or claims to be, a signature or an attestation of an artifact.
//!
//! ```text
//! artifact ◄─ subject ─ referrers with one layer, a bundle   ┐
//!          ─ layers ─► .modelctl/signatures/N.sig, bundles   ├─► Found: Candidates, nothing verified
//! tag sha256-<hex>.sig ─► layers with a legacy signature     ┘
//! ```
//!
//! What a hostile registry can make us read is bounded: so many candidates, so many bytes together,
//! counted before the first is fetched; where there are more, nothing is found but the error, since
//! what was passed over might be what mattered (security row A43). Whatever could not be looked at is
//! a candidate too, with the reason: no error reads like "there is no signature" (row A40).

mod budget;
mod candidate;
mod layers;
mod legacy;
mod referrers;
mod search;

pub use budget::{MAX_REFERRERS, MAX_SIGNATURE_BYTES, MAX_SIGNATURES};
pub use candidate::{Candidate, Content, Found, Source};
pub use search::{FindError, find};
