//! Sends a request to one place, once, and waits for the head of the answer.

use std::future::Future;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use url::Url;

use super::answer::Answer;
use super::connections::Connections;
use super::fault;
use super::feed::Gauge;
use crate::transport::TransportError;
use crate::transport::error::ConnectionFault;
use crate::transport::failure::{Effort, RequestLine};
use crate::transport::options::Timeouts;

/// A request, made ready for one place.
pub(crate) struct Hop<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: &'a HeaderMap,
    /// Whether the place is the registry itself, and gets what is for the registry only.
    pub(crate) is_registry: bool,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) body: reqwest::Body,
    pub(crate) length: u64,
    /// How far the body got, where it takes its time.
    pub(crate) gauge: Option<&'a Gauge>,
}

impl Connections {
    /// Sends a request to one place; any answer at all is a success.
    pub(crate) async fn send(&self, hop: Hop<'_>) -> Result<Answer, TransportError> {
        let (client, mut headers) = self.to(hop.url, hop.is_registry)?;
        headers.extend(hop.headers.clone());
        if let Some(authorization) = hop.authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        if hop.method != Method::GET && hop.method != Method::HEAD {
            headers.insert(CONTENT_LENGTH, hop.length.into());
        }
        let mut request = reqwest::Request::new(hop.method.clone(), hop.url.clone());
        *request.headers_mut() = headers;
        *request.body_mut() = Some(hop.body);
        let line = RequestLine::new(hop.method, hop.url);
        match watched(client.execute(request), hop.gauge, &self.timeouts).await {
            Ok(response) => {
                tracing::debug!("{line}: {}", response.status());
                Ok(Answer::new(line, hop.url, response, self.timeouts))
            }
            Err(fault) => Err(TransportError::Connection {
                request: line,
                fault,
                effort: Effort::default(),
            }),
        }
    }
}

/// Waits for an answer as long as something moves. reqwest's own time-out would count the time
/// that the upload takes.
async fn watched(
    response: impl Future<Output = reqwest::Result<Response>>,
    gauge: Option<&Gauge>,
    timeouts: &Timeouts,
) -> Result<Response, ConnectionFault> {
    tokio::pin!(response);
    let mut before = 0;
    loop {
        let limit: Duration = match gauge {
            Some(gauge) if gauge.is_complete() => timeouts.commit,
            _ => timeouts.stall,
        };
        if let Ok(result) = tokio::time::timeout(limit, &mut response).await {
            return result.map_err(|error| fault::of(&error));
        }
        let now = gauge.map_or(0, Gauge::sent);
        if now == before {
            return Err(ConnectionFault::Stalled(limit));
        }
        before = now;
    }
}
