//! Remembers, for each registry and repository, the way in: how it challenged us, which credential
//! we have, and the tokens that are still good.
//!
//! One token is fetched at a time: of many requests that need the same one, the first gets it.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{HeaderValue, WWW_AUTHENTICATE};
use tokio::sync::Mutex;

use super::challenge::{Bearer, Challenge};
use super::realm;
use super::scope::Scopes;
use super::token::{self, Grant, Wanted};
use crate::transport::TransportError;
use crate::transport::credentials::{Credential, Credentials};
use crate::transport::failure::{Account, RequestLine};
use crate::transport::http::{Answer, Connections, Origin, RegistryHost};
use crate::transport::secret::Secret;

/// Once for a token that is not good any more, and once for one that is not good enough.
const MAX_RENEWALS: u32 = 2;

/// Whom and what a request is about.
pub(crate) struct Subject<'a> {
    pub(crate) connections: &'a Connections,
    pub(crate) host: &'a RegistryHost,
    pub(crate) repository: &'a str,
    pub(crate) scopes: &'a Scopes,
}

/// The ways in.
pub(crate) struct Authorizer {
    credentials: Credentials,
    accounts: Mutex<HashMap<(Origin, String), Way>>,
}

#[derive(Default)]
struct Way {
    /// Looked up when it is first needed; a helper program may ask the user.
    credential: Option<Option<Credential>>,
    challenge: Option<Challenge>,
    grants: Vec<(Scopes, Grant)>,
}

impl Authorizer {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            accounts: Mutex::default(),
        }
    }

    /// What to send with a request, as far as is known before it is sent.
    pub(crate) async fn authorization(
        &self,
        subject: &Subject<'_>,
    ) -> Result<Option<HeaderValue>, TransportError> {
        let mut accounts = self.accounts.lock().await;
        let account = accounts.entry(key(subject)).or_default();
        match account.challenge.clone() {
            None => Ok(None),
            Some(Challenge::Basic) => self.basic(account, subject).await,
            Some(Challenge::Bearer(bearer)) => {
                if let Some(authorization) = account.granted(subject.scopes) {
                    return Ok(Some(authorization));
                }
                let scopes = subject.scopes.clone();
                self.renew(account, subject, &bearer, scopes)
                    .await
                    .map(Some)
            }
        }
    }

    /// What to send instead after a 401 of the registry; nothing if there is nothing better.
    pub(crate) async fn answer(
        &self,
        subject: &Subject<'_>,
        answer: &Answer,
        used: Option<&HeaderValue>,
        renewals: u32,
    ) -> Result<Option<HeaderValue>, TransportError> {
        let challenge = choose(answer)?;
        let insufficient = matches!(
            &challenge,
            Some(Challenge::Bearer(bearer)) if bearer.error.as_deref() == Some("insufficient_scope")
        );
        if renewals >= MAX_RENEWALS || (renewals > 0 && !insufficient) {
            return Ok(None);
        }
        let mut accounts = self.accounts.lock().await;
        let account = accounts.entry(key(subject)).or_default();
        let Some(Challenge::Bearer(bearer)) = challenge else {
            // Without a challenge, a password is worth a try: it is for this registry.
            let offered = self.basic(account, subject).await?;
            account.challenge = offered.is_some().then_some(Challenge::Basic);
            return Ok(offered.filter(|offered| Some(offered) != used));
        };
        // Somebody else may have renewed it since.
        let newer = account
            .granted(subject.scopes)
            .filter(|granted| Some(granted) != used);
        if newer.is_some() && !insufficient {
            return Ok(newer);
        }
        account
            .grants
            .retain(|(_, grant)| Some(&grant.authorization) != used);
        account.challenge = Some(Challenge::Bearer(bearer.clone()));
        let asked = bearer.scope.as_deref().unwrap_or_default();
        let scopes = subject.scopes.clone().and(asked);
        self.renew(account, subject, &bearer, scopes)
            .await
            .map(Some)
    }

    /// Whom a registry was told that we are, if it asked.
    pub(crate) async fn account(&self, subject: &Subject<'_>) -> Account {
        let accounts = self.accounts.lock().await;
        let way = accounts.get(&key(subject));
        match way.and_then(|way| way.credential.as_ref()?.as_ref()) {
            Some(Credential::Password { username, .. }) => Account::User(username.clone()),
            Some(Credential::IdentityToken(_)) => Account::Token,
            None => Account::Anonymous,
        }
    }

    async fn renew(
        &self,
        account: &mut Way,
        subject: &Subject<'_>,
        bearer: &Bearer,
        scopes: Scopes,
    ) -> Result<HeaderValue, TransportError> {
        let realm = realm::check(&bearer.realm, &subject.host.origin).map_err(|reason| {
            TransportError::Distrusted {
                request: RequestLine::new(&Method::GET, &subject.host.base),
                reason,
            }
        })?;
        let credential = self.credential(account, subject).await?;
        let wanted = Wanted {
            scopes: &scopes,
            credential: credential.as_ref(),
        };
        let fetched = token::fetch(subject, &realm, bearer, &wanted).await;
        let grant = fetched.map_err(|cause| TransportError::Token {
            registry: subject.host.name.clone(),
            cause: Box::new(cause),
        })?;
        let authorization = grant.authorization.clone();
        account
            .grants
            .retain(|(held, grant)| grant.is_fresh() && !scopes.cover(held));
        account.grants.push((scopes, grant));
        Ok(authorization)
    }

    async fn basic(
        &self,
        account: &mut Way,
        subject: &Subject<'_>,
    ) -> Result<Option<HeaderValue>, TransportError> {
        match self.credential(account, subject).await? {
            Some(Credential::Password { username, password }) => {
                Ok(Some(basic(&username, &password)))
            }
            // An identity token is for token servers.
            Some(Credential::IdentityToken(_)) | None => Ok(None),
        }
    }

    async fn credential(
        &self,
        account: &mut Way,
        subject: &Subject<'_>,
    ) -> Result<Option<Credential>, TransportError> {
        if let Some(credential) = &account.credential {
            return Ok(credential.clone());
        }
        let found = self
            .credentials
            .find(&subject.host.name, subject.repository)
            .await?;
        Ok(account.credential.insert(found).clone())
    }
}

impl Way {
    fn granted(&self, scopes: &Scopes) -> Option<HeaderValue> {
        let good = |(held, grant): &&(Scopes, Grant)| held.cover(scopes) && grant.is_fresh();
        let found = self.grants.iter().find(good);
        found.map(|(_, grant)| grant.authorization.clone())
    }
}

fn key(subject: &Subject<'_>) -> (Origin, String) {
    (subject.host.origin.clone(), subject.repository.to_owned())
}

/// The best of the challenges of a 401: a token, else a password.
fn choose(answer: &Answer) -> Result<Option<Challenge>, TransportError> {
    let mut best = None;
    for value in answer.headers().get_all(WWW_AUTHENTICATE).iter().take(8) {
        let invalid = || answer.invalid_header("www-authenticate", value);
        let text = value.to_str().map_err(|_| invalid())?;
        for challenge in Challenge::parse(text).map_err(|_| invalid())? {
            if best.is_none() || (best == Some(Challenge::Basic) && challenge != Challenge::Basic) {
                best = Some(challenge);
            }
        }
    }
    Ok(best)
}

/// The `Authorization` of a user name and a password (RFC 7617).
pub(crate) fn basic(username: &str, password: &Secret) -> HeaderValue {
    let pair = Secret::new(format!("{username}:{}", password.expose()));
    let text = Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())));
    let mut value = HeaderValue::from_str(text.expose()).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}
