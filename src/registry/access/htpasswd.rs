//! Files as `htpasswd -B` of Apache writes them: `user:hash`, one a line.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use bcrypt::HashParts;

use crate::registry::RegistryError;

/// The longest file that is read, in bytes: ten thousand users.
const MAX_FILE: u64 = 1024 * 1024;
/// The costliest hash that is accepted: one check takes seconds, each further step doubles it.
const MAX_COST: u32 = 15;
/// The least cost that bcrypt knows: nothing is checked against a hash of less.
const MIN_COST: u32 = 4;

/// Users and the bcrypt hashes of their passwords. What it shows of itself is names only.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Users {
    pub(crate) hashes: HashMap<String, String>,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.hashes.keys()).finish()
    }
}

impl Users {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, RegistryError> {
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text))
            .map_err(RegistryError::at(path))?;
        let parsed = match text.len() as u64 {
            0..=MAX_FILE => Self::parse(&text),
            _ => Err(format!("it is longer than {MAX_FILE} bytes")),
        };
        parsed.map_err(|reason| RegistryError::Users {
            path: path.to_owned(),
            reason,
        })
    }

    /// Reads the text of a file. The reason of a failure names a line and a user, never a hash.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut hashes = HashMap::new();
        for (at, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), at + 1);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (user, hash) = line
                .split_once(':')
                .filter(|(user, _)| !user.is_empty())
                .ok_or_else(|| format!("line {number} is not `user:hash`"))?;
            check(hash).map_err(|reason| format!("line {number}: user `{user}` {reason}"))?;
            if hashes.insert(user.to_owned(), hash.to_owned()).is_some() {
                return Err(format!("line {number}: user `{user}` is there twice"));
            }
        }
        if hashes.is_empty() {
            return Err("it names no user; add one with `htpasswd -B FILE USER`".to_owned());
        }
        Ok(Self { hashes })
    }

    /// The hash of a user's password.
    pub(super) fn hash_of(&self, user: &str) -> Option<&str> {
        self.hashes.get(user).map(String::as_str)
    }

    /// Some hash, to be busy with where there is no such user.
    pub(super) fn any_hash(&self) -> Option<&str> {
        self.hashes.values().next().map(String::as_str)
    }

    /// Whether there is such a user.
    pub(super) fn has(&self, user: &str) -> bool {
        self.hashes.contains_key(user)
    }
}

/// Refuses what is not a hash that can be checked: a password in plain text, MD5, SHA-1, crypt.
fn check(hash: &str) -> Result<(), String> {
    let is_bcrypt = ["$2a$", "$2b$", "$2x$", "$2y$"]
        .iter()
        .any(|version| hash.starts_with(version));
    let parts: Option<HashParts> = hash.parse().ok().filter(|_| is_bcrypt);
    match parts {
        None => Err("has no bcrypt hash; make one with `htpasswd -B`".to_owned()),
        Some(parts) if parts.get_cost() > MAX_COST => {
            Err(format!("has a hash of a cost above {MAX_COST}"))
        }
        Some(parts) if parts.get_cost() < MIN_COST => {
            Err(format!("has a hash of a cost below {MIN_COST}"))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2b$04$aK3p177BBMQvRWTIu4F/CO2.tyP.2/RlVTvXmEqKeqJwXBuxxz0bi";

    #[test]
    fn users_are_read_line_by_line() {
        let text = format!("# people\n\nalice:{HASH}\r\n bob:{HASH} \n");
        let users = Users::parse(&text).unwrap();
        assert_eq!(users.hash_of("alice"), Some(HASH));
        assert!(users.has("bob") && !users.has("# people"));
        let shown = format!("{users:?}");
        assert!(
            shown.contains("alice") && !shown.contains("$2b$"),
            "{shown}"
        );
    }

    /// Security row A28: nothing but bcrypt, and nothing that takes minutes to check.
    #[test]
    fn a28_entries_that_are_not_bcrypt_are_refused_without_being_shown() {
        let costly = HASH.replace("$04$", "$31$");
        for (line, reason) in [
            ("alice:secret".to_owned(), "no bcrypt hash"),
            ("alice:{PLAIN}secret".to_owned(), "no bcrypt hash"),
            ("alice:$apr1$secret$x".to_owned(), "no bcrypt hash"),
            ("alice:{SHA}secret=".to_owned(), "no bcrypt hash"),
            (format!("alice:{}", &HASH[..40]), "no bcrypt hash"),
            (format!("alice:{HASH}x"), "no bcrypt hash"),
            (format!("alice:{costly}"), "cost above"),
            (
                format!("alice:{}", HASH.replace("$04$", "$03$")),
                "cost below",
            ),
            (format!("alice:{HASH}\nalice:{HASH}"), "line 2"),
            ("secret".to_owned(), "line 1"),
            (format!(":{HASH}"), "line 1"),
            (String::new(), "names no user"),
        ] {
            let refused = Users::parse(&line).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
            assert!(!refused.contains("secret") && !refused.contains("$2b$"));
        }
    }
}
