//! Registries that want tokens, the token servers that give them, and users that have a password.

use std::sync::atomic::{AtomicU32, Ordering};

use modelctl::oci::Descriptor;
use modelctl::transport::ClientOptions;
use modelctl::transport::credentials::{Credential, Credentials};

use super::scripted::{Reply, Scripted, Seen};
use super::transport::options;

pub(crate) const BLOB: &[u8] = b"weights";

/// `u:canary`.
pub(crate) const BASIC: &str = "Basic dTpjYW5hcnk=";

pub(crate) fn blob() -> Descriptor {
    Descriptor::of("application/octet-stream", BLOB)
}

pub(crate) fn known(registry: &str, credential: Credential) -> ClientOptions {
    ClientOptions {
        credentials: Credentials::default().give(registry, credential),
        ..options()
    }
}

pub(crate) fn user(registry: &Scripted) -> ClientOptions {
    known(
        &registry.address.to_string(),
        Credential::password("u", "canary"),
    )
}

/// A registry that accepts one token and sends everybody else to a token server.
pub(crate) fn guarded(
    realm: &str,
    accepts: impl Fn(&Seen, &str) -> bool + Send + Sync + 'static,
) -> Scripted {
    let challenge =
        format!("Bearer realm=\"{realm}\",service=\"s, t\",scope=\"repository:m:pull\"");
    let server = Scripted::start(move |seen| {
        let sent = seen.header("authorization").unwrap_or_default();
        let refused = Reply::new(401, "").with("WWW-Authenticate", &challenge);
        (!accepts(seen, sent)).then_some(refused)
    });
    server.contents().blob(BLOB);
    server
}

/// A token server that numbers its tokens: T1, T2, ….
pub(crate) fn numbering() -> Scripted {
    let next = AtomicU32::new(1);
    Scripted::start(move |_| {
        let token = format!("T{}", next.fetch_add(1, Ordering::SeqCst));
        Some(Reply::new(
            200,
            serde_json::json!({ "token": token }).to_string(),
        ))
    })
}
