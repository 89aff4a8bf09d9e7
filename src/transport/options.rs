//! What a caller can set: all of it is arguments, nothing is read from the environment.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::credentials::Credentials;
use super::secret::Secret;

/// How to reach registries, and as whom.
///
/// Headers and the client certificate go to every registry that the client is asked for, and to no
/// other host: neither to token servers elsewhere nor to where a registry redirects. A caller that
/// talks to two registries with different ones makes two clients.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Who to log in as.
    pub credentials: Credentials,
    /// Whether to speak plain HTTP. Unset: with registries on a loopback address, HTTPS elsewhere.
    pub plain_http: Option<bool>,
    /// Files of certificates in PEM that are trusted in addition to those of the system.
    pub certificate_authorities: Vec<PathBuf>,
    /// The certificate to show to the registry.
    pub client_certificate: Option<ClientCertificate>,
    /// The proxies to use.
    pub proxies: Proxies,
    /// Headers to send to the registry.
    pub headers: Vec<(String, Secret)>,
    /// Addresses of hosts that are not looked up, as curl's `--resolve`. Of several, those of the
    /// other family are tried too where the first do not answer soon.
    pub addresses: BTreeMap<String, Vec<IpAddr>>,
    /// When to give up waiting.
    pub timeouts: Timeouts,
    /// When to try again.
    pub retry: RetryOptions,
    /// The folder in which uploads are remembered that were broken off, so that the next process
    /// goes on with them; it is made when it is needed. Unset: nothing is remembered.
    pub state: Option<PathBuf>,
    /// When to fetch a blob over several connections.
    pub ranges: RangeOptions,
}

/// A client certificate and its key, both in PEM.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The file of the certificate and its chain, leaf first.
    pub certificate: PathBuf,
    /// The file of the key.
    pub key: PathBuf,
}

/// Proxies, by the scheme of the request.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// The URL of the proxy of plain-HTTP requests; it may hold a user and a password.
    pub http: Option<Secret>,
    /// The URL of the proxy of HTTPS requests; it may hold a user and a password.
    pub https: Option<Secret>,
    /// Hosts that are reached directly, in the syntax of `NO_PROXY`.
    pub except: Option<String>,
}

/// When to give up waiting. A total is not among them: a large model takes its time.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// While nothing moves in either direction.
    pub stall: Duration,
    /// The least that must come while that time is spent waiting for an answer's content, in bytes.
    /// A connection that trickles is as good as none; the next one goes on where it stopped.
    pub trickle: u64,
    /// For the answer after the last byte of an upload: registries hash or copy a blob then.
    pub commit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(30),
            trickle: 4096,
            commit: Duration::from_secs(300),
        }
    }
}

/// When to try again: a budget of tries and one of time.
#[derive(Debug, Clone, Copy)]
pub struct RetryOptions {
    /// How often a request is sent at most.
    pub tries: u32,
    /// How long all pauses of one request may take together.
    pub patience: Duration,
    /// The first pause, before jitter; each next one is twice as long.
    pub first_pause: Duration,
    /// The longest pause that is not asked for by the server.
    pub longest_pause: Duration,
    /// The seed of the jitter; a random one if unset.
    pub seed: Option<u64>,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            tries: 5,
            patience: Duration::from_secs(180),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
            seed: None,
        }
    }
}

/// When to fetch a blob over several connections, each of them for some of its parts: where one is
/// slow, and the registry gives parts. More connections are kept only while they help.
#[derive(Debug, Clone, Copy)]
pub struct RangeOptions {
    /// A connection below this rate is slow, in bytes a second; with 0 none is.
    pub slow: u64,
    /// How much of a blob must be left for it to be worth it, in bytes.
    pub least: u64,
    /// The length of a part in bytes. What arrives too early is held in memory.
    pub part: u64,
    /// How many connections a registry is asked for at most, for all blobs together. A blob always
    /// gets one.
    pub connections: usize,
    /// How long a rate is measured.
    pub measure: Duration,
}

impl Default for RangeOptions {
    fn default() -> Self {
        Self {
            slow: 100_000_000,
            least: 16 * 1024 * 1024,
            part: 3 * 1024 * 1024,
            connections: 16,
            measure: Duration::from_millis(100),
        }
    }
}
