//! Fetches a token: bearer challenge, scopes and credential → the `Authorization` to send, and
//! until when.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;

use super::authorizer::{Subject, basic};
use super::challenge::Bearer;
use super::scope::Scopes;
use crate::transport::TransportError;
use crate::transport::credentials::Credential;
use crate::transport::error::Distrust;
use crate::transport::http::{Answer, Hop, Origin, ShownUrl, location};
use crate::transport::secret::Secret;

/// The largest answer of a token server that is read; as large as other clients allow.
const MAX_TOKEN_SIZE: u64 = 128 * 1024;

/// Redirects of a token server, all of them within it.
const MAX_REDIRECTS: u32 = 3;

/// Tokens are used for at least this long, whatever the server says: some say 0 (the default of
/// the specification is this too), and a token that is not good any more is found out anyway.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);

/// So much before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(5);

/// A token, ready to be sent.
pub(crate) struct Grant {
    pub(crate) authorization: HeaderValue,
    expires: Instant,
}

impl Grant {
    /// Whether it is still good for a request.
    pub(crate) fn is_fresh(&self) -> bool {
        Instant::now() < self.expires
    }
}

/// Gets a token from the token server at a realm that was checked.
pub(crate) async fn fetch(
    subject: &Subject<'_>,
    realm: &Url,
    bearer: &Bearer,
    wanted: &Wanted<'_>,
) -> Result<Grant, TransportError> {
    let answer = match wanted.credential {
        Some(Credential::IdentityToken(token)) => {
            match post(subject, realm, bearer, wanted.scopes, token).await {
                // Token servers without OAuth2 answer all kinds of things: GCR 404, Artifactory
                // 401, ACR 400. They take the token as the password.
                Err(error) if matches!(error.status(), Some(400 | 401 | 404 | 405)) => {
                    get(
                        subject,
                        realm,
                        bearer,
                        wanted.scopes,
                        Some(basic("", token)),
                    )
                    .await?
                }
                result => result?,
            }
        }
        Some(Credential::Password { username, password }) => {
            let basic = basic(username, password);
            get(subject, realm, bearer, wanted.scopes, Some(basic)).await?
        }
        None => get(subject, realm, bearer, wanted.scopes, None).await?,
    };
    grant(answer).await
}

/// What a token is wanted for, and by whom.
pub(crate) struct Wanted<'a> {
    pub(crate) scopes: &'a Scopes,
    pub(crate) credential: Option<&'a Credential>,
}

async fn get(
    subject: &Subject<'_>,
    realm: &Url,
    bearer: &Bearer,
    scopes: &Scopes,
    authorization: Option<HeaderValue>,
) -> Result<Answer, TransportError> {
    let mut url = realm.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = &bearer.service {
            query.append_pair("service", service);
        }
        for scope in scopes.texts() {
            query.append_pair("scope", &scope);
        }
    }
    if url.query() == Some("") {
        url.set_query(None);
    }
    ask(subject, Method::GET, url, authorization, None).await
}

async fn post(
    subject: &Subject<'_>,
    realm: &Url,
    bearer: &Bearer,
    scopes: &Scopes,
    token: &Secret,
) -> Result<Answer, TransportError> {
    let form = form(bearer, scopes, token);
    ask(subject, Method::POST, realm.clone(), None, Some(form)).await
}

/// What an OAuth2 token server is sent (distribution, "OAuth2 Token Authentication").
fn form(bearer: &Bearer, scopes: &Scopes, token: &Secret) -> Secret {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token");
    form.append_pair("client_id", "modelctl");
    form.append_pair("refresh_token", token.expose());
    if let Some(service) = &bearer.service {
        form.append_pair("service", service);
    }
    let scopes: Vec<_> = scopes.texts().collect();
    if !scopes.is_empty() {
        form.append_pair("scope", &scopes.join(" "));
    }
    Secret::new(form.finish())
}

/// Sends a request to the token server, and after it if it moved within its own origin.
async fn ask(
    subject: &Subject<'_>,
    method: Method,
    mut url: Url,
    authorization: Option<HeaderValue>,
    form: Option<Secret>,
) -> Result<Answer, TransportError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if form.is_some() {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form);
    }
    let mut redirects = 0;
    loop {
        let body = form
            .as_ref()
            .map_or(String::new(), |form| form.expose().to_owned());
        let answer = subject.connections.send(Hop {
            method: &method,
            url: &url,
            headers: &headers,
            is_registry: subject.host.is_at(&url),
            authorization: authorization.clone(),
            length: body.len() as u64,
            body: body.into(),
            gauge: None,
        });
        let answer = answer.await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        if !answer.status().is_redirection() {
            return Err(answer.into_rejection().await);
        }
        let next = location(&answer, &subject.host.origin)?;
        redirects += 1;
        if Origin::of(&next) != Origin::of(&url) || redirects > MAX_REDIRECTS {
            let elsewhere = ShownUrl::from(&next).to_string();
            return Err(answer.distrusted(Distrust::TokenRedirect(elsewhere)));
        }
        answer.drain().await;
        url = next;
    }
}

#[derive(Deserialize)]
struct TokenDocument {
    token: Option<Secret>,
    access_token: Option<Secret>,
    expires_in: Option<serde_json::Value>,
}

async fn grant(mut answer: Answer) -> Result<Grant, TransportError> {
    let body = zeroize::Zeroizing::new(answer.read("token", MAX_TOKEN_SIZE).await?);
    // The parser's message could quote the token.
    let document: TokenDocument = serde_json::from_slice(&body)
        .map_err(|_| answer.malformed("token", &"not the JSON of a token"))?;
    let given = |token: Option<Secret>| token.filter(|token| !token.is_empty());
    let token = given(document.token)
        .or(given(document.access_token))
        .ok_or_else(|| answer.malformed("token", &"no member `token` or `access_token`"))?;
    let text = Secret::new(format!("Bearer {}", token.expose()));
    let mut authorization = HeaderValue::from_str(text.expose())
        .map_err(|_| answer.malformed("token", &"characters that no header can hold"))?;
    authorization.set_sensitive(true);
    let life = document.expires_in.and_then(|value| value.as_f64());
    let life = Duration::try_from_secs_f64(life.unwrap_or_default()).unwrap_or_default();
    let life = life.clamp(SHORTEST_LIFE, Duration::from_secs(24 * 3600));
    Ok(Grant {
        authorization,
        expires: Instant::now() + life - MARGIN,
    })
}
