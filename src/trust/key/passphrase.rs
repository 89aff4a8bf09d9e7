//! What opens a sealed key.

use std::fmt;

use zeroize::Zeroizing;

/// A passphrase: it has no `Display`, its `Debug` is a placeholder, and its memory is wiped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    pub(super) fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether there is none; cosign allows that.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Passphrase {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[passphrase]")
    }
}
