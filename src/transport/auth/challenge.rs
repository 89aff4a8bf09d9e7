//! `WWW-Authenticate`: header text → challenges (RFC 9110, section 11.6.1), by the parser of
//! `http-auth`, which knows quoted strings and the comma's two meanings.

use http_auth::{ChallengeRef, parse_challenges};

/// The longest header that is looked at.
const MAX_LENGTH: usize = 16 * 1024;

/// A way in that a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// User name and password with each request.
    Basic,
    /// A token from a token server.
    Bearer(Bearer),
}

/// Where to get a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The URL of the token server, as sent.
    pub realm: String,
    /// The registry, as the token server knows it.
    pub service: Option<String>,
    /// What the token must be good for.
    pub scope: Option<String>,
    /// Why the token that was sent is not good, RFC 6750 section 3.1.
    pub error: Option<String>,
}

/// Why a header is not a list of challenges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a list of challenges")]
pub struct ChallengeError;

impl Challenge {
    /// Parses one header value. Schemes other than `Basic` and `Bearer` are left out.
    pub fn parse(header: &str) -> Result<Vec<Self>, ChallengeError> {
        if header.len() > MAX_LENGTH {
            return Err(ChallengeError);
        }
        let challenges = parse_challenges(header).map_err(|_| ChallengeError)?;
        let known = challenges.iter().filter_map(|challenge| {
            if challenge.scheme.eq_ignore_ascii_case("basic") {
                Some(Ok(Self::Basic))
            } else if challenge.scheme.eq_ignore_ascii_case("bearer") {
                Some(bearer(challenge))
            } else {
                None
            }
        });
        known.collect()
    }
}

fn bearer(challenge: &ChallengeRef<'_>) -> Result<Challenge, ChallengeError> {
    Ok(Challenge::Bearer(Bearer {
        realm: parameter(challenge, "realm")?.ok_or(ChallengeError)?,
        service: parameter(challenge, "service")?,
        scope: parameter(challenge, "scope")?,
        error: parameter(challenge, "error")?,
    }))
}

/// A parameter; given twice it could be read two ways, and is refused.
fn parameter(challenge: &ChallengeRef<'_>, name: &str) -> Result<Option<String>, ChallengeError> {
    let mut values = challenge
        .params
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_unescaped());
    let first = values.next();
    if values.next().is_some() {
        return Err(ChallengeError);
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer(Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
            error: None,
        })
    }

    #[test]
    fn challenges_of_real_registries_are_read() {
        for (header, expected) in [
            (
                r#"Bearer realm="https://a/t",service="s",scope="repository:x:pull,push""#,
                vec![bearer(
                    "https://a/t",
                    Some("s"),
                    Some("repository:x:pull,push"),
                )],
            ),
            (
                r#"bearer REALM="https://a/t""#,
                vec![bearer("https://a/t", None, None)],
            ),
            (
                r#"Bearer realm="https://a/\"t\"", service="a, b=\"c\"""#,
                vec![bearer("https://a/\"t\"", Some("a, b=\"c\""), None)],
            ),
            (r#"Basic realm="Registry, Realm""#, vec![Challenge::Basic]),
            ("BASIC realm=x", vec![Challenge::Basic]),
            (
                r#"Negotiate, Basic realm="r", Bearer realm="https://a""#,
                vec![Challenge::Basic, bearer("https://a", None, None)],
            ),
            ("Digest realm=\"x\"", vec![]),
        ] {
            assert_eq!(Challenge::parse(header), Ok(expected), "{header}");
        }
    }

    /// Security row A22.
    #[test]
    fn malformed_challenges_are_refused() {
        let long = format!("Bearer realm=\"https://a/{}\"", "x".repeat(1 << 20));
        for header in [
            "Bearer realm=\"https://a",
            "Bearer realm=https://a",
            "Bearer service=\"s\"",
            "Bearer",
            "Bearer realm=\"https://a\", realm=\"https://b\"",
            "Bearer realm=\"\u{ff11}\"",
            "=",
            "",
            &long,
        ] {
            assert_eq!(
                Challenge::parse(header),
                Err(ChallengeError),
                "{header:.60}"
            );
        }
    }
}
