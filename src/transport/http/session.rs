//! A conversation with one registry: redirects are followed, challenges answered, and what failed
//! for a while is tried again.
//!
//! What belongs to the registry (credentials, the caller's headers, the client certificate) is
//! bound to its origin: scheme, host and port. At every hop it is decided anew whether the place
//! is that origin, and nothing is carried over from the hop before.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{HeaderMap, HeaderValue, WARNING};
use reqwest::{Method, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::answer::Answer;
use super::connections::Connections;
use super::feed::{Gauge, feed};
use super::hop::Hop;
use super::host::RegistryHost;
use super::lanes::Lanes;
use super::origin::Origin;
use super::redirect::{Trail, is_redirect};
use super::request::{Body, Part, Request};
use crate::store::Pieces;
use crate::transport::TransportError;
use crate::transport::auth::{Authorizer, Scopes, Subject};
use crate::transport::failure::{Asked, RequestLine, cleaned};
use crate::transport::options::{RangeOptions, RetryOptions};
use crate::transport::repository::{Habits, Offered};
use crate::transport::retry::Attempts;
use crate::transport::unfinished::Unfinished;

/// More different warnings than anybody reads.
const MAX_WARNINGS: usize = 32;

/// What all conversations of a client share.
pub(crate) struct Shared {
    pub(crate) connections: Arc<Connections>,
    pub(crate) authorizer: Authorizer,
    pub(crate) retry: RetryOptions,
    pub(crate) pieces: Pieces,
    /// How blobs are fetched at all.
    pub(crate) ranges: RangeOptions,
    /// The connections that fetch blobs, for each registry.
    pub(crate) lanes: Mutex<HashMap<Origin, Arc<Lanes>>>,
    /// The warnings that were passed on.
    pub(crate) warnings: Mutex<HashSet<String>>,
    /// Held while a referrers tag is rewritten, so that at least this process does not race
    /// with itself.
    pub(crate) referrers_tags: Arc<tokio::sync::Mutex<()>>,
    /// What hosts have shown about the bodies that they take.
    pub(crate) habits: Habits,
    /// Upload sessions that registries opened instead of mounting a blob.
    pub(crate) offered: Offered,
    /// Uploads that an earlier process did not finish.
    pub(crate) unfinished: Unfinished,
}

/// A conversation with one registry about one repository.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) host: Arc<RegistryHost>,
    /// The repository, for which credentials may differ; empty for the registry itself.
    pub(crate) repository: String,
}

impl Session {
    /// Sends a request until it succeeds, it cannot succeed, or the budget is spent.
    pub(crate) async fn send(&self, request: &Request<'_>) -> Result<Answer, TransportError> {
        let mut attempts = self.attempts();
        loop {
            match self.attempt(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => attempts.pause(error).await?,
            }
        }
    }

    /// Sends a request and reads the whole of a short answer, with the same patience.
    pub(crate) async fn read(
        &self,
        request: &Request<'_>,
        what: &'static str,
        limit: u64,
    ) -> Result<(Answer, Vec<u8>), TransportError> {
        let mut attempts = self.attempts();
        loop {
            let error = match self.attempt(request).await {
                Ok(mut answer) => match answer.read(what, limit).await {
                    Ok(body) => return Ok((answer, body)),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            attempts.pause(error).await?;
        }
    }

    /// The connections that fetch blobs from this registry.
    pub(crate) fn lanes(&self) -> Arc<Lanes> {
        let mut lanes = self
            .shared
            .lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let options = self.shared.ranges;
        let of_registry = lanes
            .entry(self.host.origin.clone())
            .or_insert_with(|| Arc::new(Lanes::new(options)));
        Arc::clone(of_registry)
    }

    /// Counts the tries of one piece of work.
    pub(crate) fn attempts(&self) -> Attempts {
        Attempts::new(self.shared.retry)
    }

    /// Sends a request once; an answer other than a success is an error.
    pub(crate) async fn attempt(&self, request: &Request<'_>) -> Result<Answer, TransportError> {
        let answer = self.exchange(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let is_registry = self.host.is_at(answer.url());
        let error = answer.into_rejection().await;
        match is_registry {
            true => Err(error.to(self.asked(request).await)),
            false => Err(error),
        }
    }

    /// What a request is about, for whoever has to understand why it was refused.
    async fn asked(&self, request: &Request<'_>) -> Asked {
        let writes = request.scopes.cover(&Scopes::push(&self.repository));
        Asked {
            repository: self.repository.clone(),
            writes,
            stores: writes && request.method != Method::DELETE,
            account: self.shared.authorizer.account(&self.subject(request)).await,
            manifest: request.manifest.clone(),
        }
    }

    /// Sends a request once, through redirects and past a challenge.
    async fn exchange(&self, request: &Request<'_>) -> Result<Answer, TransportError> {
        let subject = self.subject(request);
        let authorizer = &self.shared.authorizer;
        let mut trail = Trail::new(&self.host.origin, &request.url);
        let mut authorization = authorizer.authorization(&subject).await?;
        let mut renewals = 0;
        loop {
            let here = trail.here();
            let is_registry = self.host.is_at(here);
            let sent = authorization.clone().filter(|_| is_registry);
            let answer = self.hop(request, here, sent).await?;
            if is_registry && answer.status() == StatusCode::UNAUTHORIZED {
                let used = authorization.as_ref();
                let Some(new) = authorizer.answer(&subject, &answer, used, renewals).await? else {
                    return Ok(answer);
                };
                renewals += 1;
                authorization = Some(new);
            } else if is_redirect(&request.method, answer.status()) {
                trail.follow(&answer)?;
            } else {
                return Ok(answer);
            }
            answer.drain().await;
        }
    }

    fn subject<'a>(&'a self, request: &'a Request<'_>) -> Subject<'a> {
        Subject {
            connections: &self.shared.connections,
            host: &self.host,
            repository: &self.repository,
            scopes: &request.scopes,
        }
    }

    async fn hop(
        &self,
        request: &Request<'_>,
        url: &Url,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, TransportError> {
        let (body, gauge) = self.open(&request.body)?;
        let sent = self.shared.connections.send(Hop {
            method: &request.method,
            url,
            headers: &request.headers,
            is_registry: self.host.is_at(url),
            authorization,
            body,
            length: request.body.length(),
            gauge: gauge.as_ref(),
        });
        let asked = Instant::now();
        let result = sent.await;
        if gauge.is_none() && result.is_ok() && self.host.is_at(url) {
            self.host.answered(asked.elapsed());
        }
        // A content that cannot be read breaks the connection: that is then not what failed.
        if let Body::Part(part) = &request.body
            && let Some(cause) = gauge.as_ref().and_then(Gauge::take_fault)
        {
            return Err(self.unreadable(part, cause));
        }
        let answer = result?;
        let line = RequestLine::new(&request.method, url);
        self.shared.warn(&line, answer.headers());
        Ok(answer)
    }

    fn open(&self, body: &Body<'_>) -> Result<(reqwest::Body, Option<Gauge>), TransportError> {
        match body {
            Body::Empty => Ok((reqwest::Body::from(""), None)),
            Body::Bytes(bytes) => Ok((bytes.clone().into(), None)),
            Body::Part(part) => match feed(part, &self.shared.pieces) {
                Ok((body, gauge)) => Ok((body, Some(gauge))),
                Err(cause) => Err(self.unreadable(part, cause)),
            },
        }
    }

    fn unreadable(&self, part: &Part<'_>, cause: std::io::Error) -> TransportError {
        TransportError::Source {
            blob: part.blob.digest,
            registry: self.host.name.clone(),
            cause,
        }
    }
}

impl Shared {
    /// Passes a registry's warnings on, each of them once (distribution-spec, "Warnings"); nothing
    /// depends on them.
    fn warn(&self, request: &RequestLine, headers: &HeaderMap) {
        for value in headers.get_all(WARNING) {
            let text = String::from_utf8_lossy(value.as_bytes());
            let Some(text) = text.strip_prefix("299 - ").map(cleaned) else {
                continue;
            };
            let mut seen = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.len() < MAX_WARNINGS && seen.insert(text.clone()) {
                tracing::warn!("{request}: the registry warns: {text}");
            }
        }
    }
}
