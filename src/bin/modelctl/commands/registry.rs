//! `registry`: the embedded registry.

mod log;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use modelctl::registry::{self, Collection, RegistryOptions, Server, TlsFiles};
use tokio::net::TcpListener;

use self::log::LogFormat;
use crate::failure::Failure;
use crate::output::Output;
use crate::signal;
use crate::text::parse_size;

const HELP: &str = "\
It says on stderr where it listens, and serves until SIGINT or SIGTERM; requests in work may end \
then. The folder is an OCI image layout. Without --htpasswd everyone who reaches it may pull, push \
and delete. A line on stderr for each request: time, client, user, method, path, status, bytes \
received, bytes sent, seconds.

Examples:
  modelctl registry --store ./registry
  modelctl registry --store ./registry --listen 127.0.0.1:0 --gc-interval 1h
  modelctl registry --store /srv/models --listen 10.0.0.5:5000 --allow-remote \\
    --host models.example --tls-cert cert.pem --tls-key key.pem \\
    --htpasswd users --anonymous-read --writer ci";

/// Serve the embedded registry: for one machine, for CI, for sites without a network
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct RegistryArgs {
    /// Folder that it serves; made if it is not there
    #[arg(long, value_name = "DIR", required = true)]
    store: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    space: SpaceArgs,
    #[command(flatten)]
    sight: SightArgs,
}

/// Where it listens, and as whom.
#[derive(Args)]
#[command(next_help_heading = "Network")]
struct PlaceArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// Listen on an address that other machines reach
    #[arg(long)]
    allow_remote: bool,
    /// Host name by which it may be addressed; may be given several times
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Certificate in PEM, with those that vouch for it: it speaks TLS then, and nothing else
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// Who may do what.
#[derive(Args)]
#[command(next_help_heading = "Users")]
struct AccessArgs {
    /// Users and their passwords, as `htpasswd -B` writes them; read again when it changes
    #[arg(long, value_name = "FILE")]
    htpasswd: Option<PathBuf>,
    /// To pull and to list takes no password
    #[arg(long, requires = "htpasswd")]
    anonymous_read: bool,
    /// User who may push and delete; may be given several times [default: all users]
    #[arg(long, value_name = "USER", requires = "htpasswd")]
    writer: Vec<String>,
    /// Nobody may push and delete
    #[arg(long)]
    read_only: bool,
}

/// What may be stored, and for how long.
#[derive(Args)]
#[command(next_help_heading = "Space")]
struct SpaceArgs {
    /// How much may be stored in all, as 500GB or 2TiB
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    quota: Option<u64>,
    /// How much each repository may have; what several have counts in each of them
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    repository_quota: Option<u64>,
    /// Collect garbage this often, as 1h or 30m [default: never]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    gc_interval: Option<Duration>,
    /// Blobs that no manifest needs are kept this long after the last push to their repository
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration,
          default_value = "1h", requires = "gc_interval")]
    gc_keep: Duration,
    /// Accept manifests before, or without, what they refer to
    #[arg(long)]
    sparse: bool,
}

/// What can be seen of it.
#[derive(Args)]
#[command(next_help_heading = "Monitoring")]
struct SightArgs {
    /// How each request is told on stderr [default: text; with --json json, with --quiet none]
    #[arg(long, value_name = "FORMAT", value_enum)]
    log_format: Option<LogFormat>,
    /// Address on which GET /metrics answers with counters for Prometheus
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

/// Serves until a signal comes, then lets requests in work end.
pub(crate) async fn run(args: RegistryArgs, output: &mut Output) -> Result<(), Failure> {
    let allow_remote = args.place.allow_remote;
    let (listener, address) = listen(args.place.listen, allow_remote).await?;
    let scraped = match args.sight.metrics {
        Some(address) => Some(listen(address, allow_remote).await?),
        None => None,
    };
    let place = args.store.display().to_string();
    let sends_passwords = args.access.htpasswd.is_some() && args.place.tls_cert.is_none();
    let format = args.sight.log_format.unwrap_or(match output.style() {
        style if style.quiet => LogFormat::None,
        style if style.json => LogFormat::Json,
        _ => LogFormat::Text,
    });
    let mut options = options(args);
    let (log, writer) = log::start(format).map_err(Failure::Output)?.unzip();
    options.log = log;
    let metrics = Arc::clone(&options.metrics);
    let server = Server::open(listener, options).await?;
    output.line(&format!("serving {place} on {address}"))?;
    if sends_passwords && !address.ip().is_loopback() {
        output.warn(
            "passwords come in unencrypted; give --tls-cert, or put a proxy with TLS in front",
        )?;
    }
    let serving = server.serve(stopped());
    match scraped {
        Some((listener, address)) => {
            output.line(&format!("metrics on http://{address}/metrics"))?;
            tokio::select! {
                () = serving => {}
                () = registry::serve_metrics(listener, metrics, std::future::pending()) => {}
            }
        }
        None => serving.await,
    }
    if let Some(writer) = writer {
        writer.finish();
    }
    Ok(())
}

async fn listen(
    address: SocketAddr,
    allow_remote: bool,
) -> Result<(TcpListener, SocketAddr), Failure> {
    if !address.ip().is_loopback() && !allow_remote {
        return Err(Failure::Exposed(address));
    }
    let failed = |source| Failure::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Ready when a signal has come.
async fn stopped() {
    // Without signals it serves on; whoever started it can still kill it.
    if signal::received().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn options(args: RegistryArgs) -> RegistryOptions {
    let mut options = RegistryOptions::new(args.store);
    options.hosts = args.place.host;
    let files = args.place.tls_cert.zip(args.place.tls_key);
    options.tls = files.map(|(certificate, key)| TlsFiles { certificate, key });
    options.htpasswd = args.access.htpasswd;
    options.anonymous_read = args.access.anonymous_read;
    options.writers = args.access.writer;
    options.read_only = args.access.read_only;
    options.quota = args.space.quota;
    options.repository_quota = args.space.repository_quota;
    let keep = args.space.gc_keep;
    let collection = |interval| Collection { interval, keep };
    options.collection = args.space.gc_interval.map(collection);
    options.sparse = args.space.sparse;
    options
}

/// Reads the time between two collections.
fn interval(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time < Duration::from_secs(1) => Err("expected a second or more".to_owned()),
        time => time.map_err(|error| error.to_string()),
    }
}
