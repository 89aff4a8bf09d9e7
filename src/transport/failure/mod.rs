//! What a registry says when it does not do what it was asked: HTTP status, body, and what was asked
//! for → kind, sentence and remedy.

mod asked;
mod meaning;
mod rejection;
mod request_line;
mod words;

pub(crate) use asked::{Account, Asked, ManifestPut};
pub(crate) use meaning::LARGER_BODIES;
pub use rejection::Rejection;
#[cfg(fuzzing)]
pub(crate) use rejection::asked_wait;
pub use request_line::{Effort, RequestLine};
pub(crate) use words::{cleaned, is_page};
