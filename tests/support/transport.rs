//! Clients for tests: patient for milliseconds only.

use std::time::Duration;

use modelctl::oci::{Descriptor, Reference};
use modelctl::store::{Storage, error_of_read};
use modelctl::transport::{Client, ClientOptions, Repository, RetryOptions, Timeouts};
use tokio::io::AsyncReadExt;

use super::scripted::Scripted;

/// Three tries, a few milliseconds apart.
pub(crate) fn options() -> ClientOptions {
    ClientOptions {
        retry: RetryOptions {
            tries: 3,
            first_pause: Duration::from_millis(2),
            ..RetryOptions::default()
        },
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(5),
            trickle: 1,
            commit: Duration::from_secs(5),
        },
        ..ClientOptions::default()
    }
}

/// The repository `m` of a server, for somebody without credentials.
pub(crate) fn anonymous(server: &Scripted) -> Repository {
    with(options(), server)
}

/// The repository `m` of a server.
pub(crate) fn with(options: ClientOptions, server: &Scripted) -> Repository {
    at(options, &server.address.to_string())
}

/// The repository `m` of a registry.
pub(crate) fn at(options: ClientOptions, registry: &str) -> Repository {
    let reference: Reference = format!("{registry}/m").parse().unwrap();
    Client::new(options)
        .unwrap()
        .repository(&reference)
        .unwrap()
}

/// Everything of a blob.
pub(crate) async fn read(repository: &Repository, blob: &Descriptor) -> modelctl::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = repository.fetch(blob).await?;
    match reader.read_to_end(&mut bytes).await {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error_of_read(error, &blob.digest)),
    }
}

/// The message of an error, with the address of a server replaced by its name.
pub(crate) fn message(error: &modelctl::Error, servers: &[(&str, &Scripted)]) -> String {
    let mut text = error.to_string();
    for (name, server) in servers {
        text = text.replace(&server.address.to_string(), name);
    }
    text
}

/// What arrived so far: each method, with the range of the content if one was said.
pub(crate) fn steps(server: &Scripted) -> Vec<String> {
    let steps = server.log().into_iter().map(|seen| {
        let range = seen
            .header("content-range")
            .map(|range| format!(" {range}"));
        seen.method + &range.unwrap_or_default()
    });
    steps.collect()
}

/// A blob of a length, in which no two pages look alike.
pub(crate) fn content(length: usize) -> (Descriptor, Vec<u8>) {
    let mut bytes: Vec<u8> = b"weights".repeat(length / 7 + 1);
    bytes.truncate(length);
    for (number, page) in (0_u64..).zip(bytes.chunks_exact_mut(4096)) {
        page[..8].copy_from_slice(&number.to_le_bytes());
    }
    (Descriptor::of("application/octet-stream", &bytes), bytes)
}
