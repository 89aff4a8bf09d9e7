//! `registry`: the embedded registry.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use modelctl::registry::{self, RegistryOptions};
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::output::Output;
use crate::signal;

const HELP: &str = "\
It says on stderr where it listens, and serves until SIGINT or SIGTERM. The folder is an OCI image
layout. There are no accounts and no TLS: beyond one machine use zot, Harbor, distribution or a
cloud registry.

Examples:
  modelctl registry --store ./registry
  modelctl registry --store ./registry --listen 127.0.0.1:0
  modelctl registry --store /srv/models --listen 10.0.0.5:5000 --allow-remote --host models.example";

/// Serve the embedded registry: for one machine, for CI, for sites without a network
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct RegistryArgs {
    /// Folder that it serves; made if it is not there
    #[arg(long, value_name = "DIR", required = true)]
    store: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// Listen on an address that other machines reach
    #[arg(long)]
    allow_remote: bool,
    /// Host name by which it may be addressed; may be given several times
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
}

/// Serves until a signal comes, then lets requests in work end.
pub(crate) async fn run(args: RegistryArgs, output: &mut Output) -> Result<(), Failure> {
    if !args.listen.ip().is_loopback() && !args.allow_remote {
        return Err(Failure::Exposed(args.listen));
    }
    let failed = |source| Failure::Listen {
        address: args.listen,
        source,
    };
    let listener = TcpListener::bind(args.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let mut options = RegistryOptions::new(&args.store);
    options.hosts = args.host;
    let store = args.store;
    output.line(&format!("serving {} on {address}", store.display()))?;
    let stopped = async {
        // Without signals it serves on; whoever started it can still kill it.
        if signal::received().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    Ok(registry::serve(listener, options, stopped).await?)
}
