//! TLS for those who connect: a certificate and its key, read once.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::{RegistryError, TlsFiles};

/// How long a client may take until its connection is encrypted.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A certificate and its key, ready to be shown to clients.
#[derive(Clone)]
pub(super) struct Tls(TlsAcceptor);

impl Tls {
    /// Reads both files. It blocks.
    pub(super) fn load(files: &TlsFiles) -> Result<Self, RegistryError> {
        let unusable = |path: &Path, reason: String| RegistryError::Tls {
            path: path.to_owned(),
            reason,
        };
        let certificate = &files.certificate;
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unusable(certificate, error.to_string()))?;
        if chain.is_empty() {
            let reason = "it has no certificate in PEM".to_owned();
            return Err(unusable(certificate, reason));
        }
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|error| unusable(&files.key, format!("it has no private key: {error}")))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(certificate, error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| unusable(&files.key, unfit(&error)))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Encrypts a connection, unless the client takes too long over it.
    pub(super) async fn accept<S>(&self, stream: S, patience: Duration) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let limit = patience.min(HANDSHAKE);
        match tokio::time::timeout(limit, self.0.accept(stream)).await {
            Ok(accepted) => accepted,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// Why a key cannot be used with a certificate.
fn unfit(error: &Error) -> String {
    match error {
        Error::InconsistentKeys(_) => {
            "it is not the key of the certificate that was given".to_owned()
        }
        other => format!("it cannot be used with the certificate: {other}"),
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(..)")
    }
}
