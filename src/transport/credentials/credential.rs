//! What proves who we are.

use crate::transport::secret::Secret;

/// A credential of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user name and a password, or what a registry takes for one.
    Password {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token that is exchanged for others at the registry's token server.
    IdentityToken(Secret),
}

impl Credential {
    /// A user name and a password.
    pub fn password(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::Password {
            username: username.into(),
            password: password.into(),
        }
    }
}
