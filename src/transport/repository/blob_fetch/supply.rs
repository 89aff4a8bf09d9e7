//! A blob at a registry as something that can be asked for: range → an answer that is checked to
//! be that range.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use reqwest::header::{CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::oci::Digest;
use crate::transport::TransportError;
use crate::transport::error::{ContentFault, ProtocolFault};
use crate::transport::http::Answer;
use crate::transport::repository::handle::Repository;

/// A blob, and where it is to be had.
pub(super) struct Supply {
    repository: Repository,
    digest: Digest,
    /// The length of the whole blob in bytes.
    pub(super) size: u64,
    /// Where the registry redirected us to the last time: parts are asked for there directly.
    place: Mutex<Option<Url>>,
    /// Whether a range came as it was asked for.
    gave_range: AtomicBool,
    /// Whether something else came than the range that was asked for.
    mixes_ranges: AtomicBool,
}

/// An answer with the range that was asked for in it.
pub(super) struct Arriving {
    pub(super) answer: Answer,
    /// How many bytes come before the range.
    pub(super) skip: u64,
}

impl Supply {
    pub(super) fn new(repository: Repository, digest: Digest, size: u64) -> Self {
        Self {
            repository,
            digest,
            size,
            place: Mutex::default(),
            gave_range: AtomicBool::new(false),
            mixes_ranges: AtomicBool::new(false),
        }
    }

    /// The repository that the blob is in.
    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Whether a range was asked for and came.
    pub(super) fn gave_range(&self) -> bool {
        self.gave_range.load(Ordering::Relaxed)
    }

    /// Asks for a range, and for the whole blob where no range is to be had. The registry is asked
    /// each time: where it redirected to before may be good for minutes only.
    pub(super) async fn ask(&self, range: &Range<u64>) -> Result<Arriving, TransportError> {
        if *range == (0..self.size) || self.mixes_ranges.load(Ordering::Relaxed) {
            return self.ask_whole(range.start).await;
        }
        let url = self.url();
        match self.ask_range(range, url).await {
            Err(error) if is_no_range(&error) => {
                tracing::debug!("asking for the whole blob: {error}");
                self.mixes_ranges.store(true, Ordering::Relaxed);
                self.repository.session.host.ignored_a_range();
                self.ask_whole(range.start).await
            }
            result => result,
        }
    }

    /// Asks for a range and for nothing else, where the registry redirected to before, if it did;
    /// what is refused there is asked of the registry again.
    pub(super) async fn ask_part(&self, range: &Range<u64>) -> Result<Arriving, TransportError> {
        let known = self.lock_place().clone();
        if let Some(place) = known {
            match self.ask_range(range, place.clone()).await {
                Ok(arriving) => return self.only_part(range, arriving),
                Err(error) => {
                    self.forget(&place);
                    if !matches!(error.status(), Some(400..=407 | 409..=415)) {
                        return Err(error);
                    }
                    tracing::debug!("asking the registry again: {error}");
                }
            }
        }
        let arriving = self.ask_range(range, self.url()).await?;
        self.only_part(range, arriving)
    }

    fn only_part(
        &self,
        range: &Range<u64>,
        arriving: Arriving,
    ) -> Result<Arriving, TransportError> {
        if arriving.answer.status() == StatusCode::PARTIAL_CONTENT {
            return Ok(arriving);
        }
        let expected = self.content_range(range);
        let actual = "the whole blob".to_owned();
        let fault = ProtocolFault::Range { expected, actual };
        Err(arriving.answer.protocol(fault))
    }

    async fn ask_whole(&self, skip: u64) -> Result<Arriving, TransportError> {
        let request = self.repository.blob_request(Method::GET, &self.digest);
        let answer = self.repository.session.attempt(&request).await?;
        match answer.status() {
            StatusCode::OK => self.whole(answer, skip),
            _ => Err(answer.into_rejection().await),
        }
    }

    async fn ask_range(&self, range: &Range<u64>, url: Url) -> Result<Arriving, TransportError> {
        let mut request = self.repository.blob_request(Method::GET, &self.digest);
        request.url = url;
        // Both ends are inclusive (RFC 9110, section 14.1.2).
        let text = format!("bytes={}-{}", range.start, range.end - 1);
        let request = request.header(RANGE, HeaderValue::try_from(text).expect("digits"));
        let answer = self.repository.session.attempt(&request).await?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                answer.require_identity()?;
                self.check_range(&answer, range)?;
                self.gave_range.store(true, Ordering::Relaxed);
                self.remember(&answer);
                Ok(Arriving { answer, skip: 0 })
            }
            // The range was ignored: all of it comes, and what is before is thrown away.
            StatusCode::OK => {
                let arriving = self.whole(answer, range.start)?;
                self.repository.session.host.ignored_a_range();
                Ok(arriving)
            }
            _ => Err(answer.into_rejection().await),
        }
    }

    fn whole(&self, answer: Answer, skip: u64) -> Result<Arriving, TransportError> {
        answer.require_identity()?;
        answer.require_no_page("a blob", Some(self.size))?;
        check_length(&answer, self.size)?;
        self.remember(&answer);
        Ok(Arriving { answer, skip })
    }

    fn check_range(&self, answer: &Answer, range: &Range<u64>) -> Result<(), TransportError> {
        let expected = self.content_range(range);
        let (first, last) = (range.start, range.end - 1);
        let of_unknown = format!("bytes {first}-{last}/*");
        let values: Vec<_> = answer.headers().get_all(CONTENT_RANGE).iter().collect();
        let mut texts: Vec<_> = values
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        if let [value] = values[..]
            && (*value == *expected || *value == *of_unknown)
        {
            match answer.length() {
                Some(length) if length != range.end - range.start => {
                    texts.push(format!("{length} bytes"));
                }
                _ => return Ok(()),
            }
        }
        let actual = texts.join(", ").chars().take(120).collect();
        Err(answer.protocol(ProtocolFault::Range { expected, actual }))
    }

    fn content_range(&self, range: &Range<u64>) -> String {
        format!("bytes {}-{}/{}", range.start, range.end - 1, self.size)
    }

    fn url(&self) -> Url {
        let request = self.repository.blob_request(Method::GET, &self.digest);
        request.url
    }

    fn remember(&self, answer: &Answer) {
        let is_elsewhere = *answer.url() != self.url();
        *self.lock_place() = is_elsewhere.then(|| answer.url().clone());
    }

    fn forget(&self, place: &Url) {
        let mut known = self.lock_place();
        if known.as_ref() == Some(place) {
            *known = None;
        }
    }

    fn lock_place(&self) -> std::sync::MutexGuard<'_, Option<Url>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an error says that a range is not to be had, but perhaps the whole blob.
pub(super) fn is_no_range(error: &TransportError) -> bool {
    match error {
        TransportError::Protocol { fault, .. } => matches!(fault, ProtocolFault::Range { .. }),
        _ => error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE.as_u16()),
    }
}

fn check_length(answer: &Answer, expected: u64) -> Result<(), TransportError> {
    match answer.length() {
        Some(actual) if actual != expected => {
            Err(answer.content(ContentFault::Size { expected, actual }))
        }
        _ => Ok(()),
    }
}
