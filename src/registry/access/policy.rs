//! What a request needs, and whether whoever sent it has that right.

use axum::http::header;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::verifier::{Verdict, Verifier};
use crate::registry::wire::{Code, Failure, value_of};
use crate::registry::{RegistryError, RegistryOptions};

/// How clients are asked for a password. The realm is the same everywhere: it says nothing.
const CHALLENGE: &str = "Basic realm=\"modelctl registry\", charset=\"UTF-8\"";

/// The right that a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// To say who one is. Clients learn by `GET /v2/` whether to send a password at all, so it
    /// asks for one wherever there are users, also where nobody needs one to read.
    Identity,
    /// To pull and to list.
    Read,
    /// To push, to delete, and to ask about an upload.
    Write,
}

/// Who may do what.
#[derive(Debug)]
pub(crate) struct Policy {
    users: Option<Verifier>,
    writers: Vec<String>,
    anonymous_read: bool,
    read_only: bool,
}

impl Policy {
    /// Reads the users. A writer who is not one of them is a mistake that would be found late.
    pub(crate) fn open(options: &RegistryOptions) -> Result<Self, RegistryError> {
        let users = options
            .htpasswd
            .as_deref()
            .map(Verifier::open)
            .transpose()?;
        if let (Some(path), Some(users)) = (&options.htpasswd, &users)
            && let Some(writer) = options.writers.iter().find(|it| !users.has(it))
        {
            return Err(RegistryError::Users {
                path: path.clone(),
                reason: format!("it does not name `{writer}`, who is to be a writer"),
            });
        }
        Ok(Self {
            users,
            writers: options.writers.clone(),
            anonymous_read: options.anonymous_read,
            read_only: options.read_only,
        })
    }

    /// Reads the users again if their file has changed. It blocks.
    pub(crate) fn refresh(&self) {
        if let Some(users) = &self.users {
            users.refresh();
        }
    }

    /// Lets a request in, and says whose it is; or refuses it.
    pub(crate) async fn admit(
        &self,
        request: &Parts,
        need: Need,
    ) -> Result<Option<String>, Failure> {
        let user = match &self.users {
            Some(users) => self.identify(users, request, need).await?,
            None => None,
        };
        if need != Need::Write {
            return Ok(user);
        }
        if self.read_only {
            let message = "the registry is read-only: nothing can be pushed to it or deleted";
            return Err(Failure::new(Code::Unsupported, message)
                .with_header(header::ALLOW, value_of("GET, HEAD")));
        }
        match &user {
            Some(name) if !self.writers.is_empty() && !self.writers.contains(name) => {
                let message = format!("user `{name}` may pull from this registry, but not push");
                Err(Failure::new(Code::Denied, message))
            }
            _ => Ok(user),
        }
    }

    async fn identify(
        &self,
        users: &Verifier,
        request: &Parts,
        need: Need,
    ) -> Result<Option<String>, Failure> {
        let Some((user, password)) = credential(request) else {
            return match need {
                Need::Read if self.anonymous_read => Ok(None),
                _ => Err(unknown("a user and a password of this registry are needed")),
            };
        };
        match users.verify(&user, password).await {
            Verdict::Right => Ok(Some(user)),
            Verdict::Wrong => Err(unknown("the user or the password is wrong")),
            Verdict::Busy => {
                let message = "too many passwords are being checked; try again";
                Err(Failure::new(Code::TooManyRequests, message)
                    .with_header(header::RETRY_AFTER, value_of("1")))
            }
        }
    }
}

/// The name and password that a request carries. Other schemes, and the empty name that skopeo
/// sends where it has none, are no credential.
fn credential(request: &Parts) -> Option<(String, Zeroizing<String>)> {
    let value = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, text) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    (!user.is_empty()).then(|| (user.to_owned(), Zeroizing::new(password.to_owned())))
}

fn unknown(message: &str) -> Failure {
    Failure::new(Code::Unauthorized, message)
        .with_header(header::WWW_AUTHENTICATE, value_of(CHALLENGE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn read(value: &str) -> Option<(String, String)> {
        let request = Request::get("/v2/").header(header::AUTHORIZATION, value);
        let parts = request.body(()).unwrap().into_parts().0;
        credential(&parts).map(|(user, password)| (user, password.to_string()))
    }

    #[test]
    fn only_basic_credentials_with_a_name_count() {
        let encoded = |text: &str| STANDARD.encode(text);
        let right = Some(("user".to_owned(), "a:b ü".to_owned()));
        assert_eq!(read(&format!("Basic {}", encoded("user:a:b ü"))), right);
        assert_eq!(read(&format!("basic {}", encoded("user:a:b ü"))), right);
        for value in [
            format!("Basic {}", encoded(":")),
            format!("Basic {}", encoded(":secret")),
            format!("Basic {}", encoded("user")),
            format!("Bearer {}", encoded("user:secret")),
            "Basic".to_owned(),
            "Basic !!!".to_owned(),
            "Basic /w==".to_owned(),
        ] {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}
