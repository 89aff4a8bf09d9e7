//! Certificates of a small authority, for servers and for clients.

use std::path::Path;
use std::sync::Arc;

use modelctl::transport::ClientCertificate;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// An authority that nobody trusts but who is told to.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new authority.
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(vec!["test authority".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Writes the authority's certificate to a file.
    pub(crate) fn write(&self, path: &Path) {
        std::fs::write(path, self.0.pem()).unwrap();
    }

    /// The configuration of a server that asks for a client certificate and does without one.
    pub(crate) fn server(&self, name: &str) -> Arc<ServerConfig> {
        self.serving(self.issue(name))
    }

    /// The same with a certificate whose time is over.
    pub(crate) fn expired_server(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        self.serving((params.signed_by(&key, &self.0).unwrap(), key))
    }

    /// The same with a certificate that nobody has signed but its own key.
    pub(crate) fn self_signed_server(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        self.serving((params.self_signed(&key).unwrap(), key))
    }

    fn serving(&self, (certificate, key): (rcgen::Certificate, KeyPair)) -> Arc<ServerConfig> {
        let provider = Arc::new(default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let asking = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .allow_unauthenticated()
            .build()
            .unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(asking)
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            );
        Arc::new(config.unwrap())
    }

    /// Writes a client certificate into a folder.
    pub(crate) fn client(&self, folder: &Path) -> ClientCertificate {
        self.files(folder, "client")
    }

    /// Writes a certificate for a name, and its key, into a folder.
    pub(crate) fn files(&self, folder: &Path, name: &str) -> ClientCertificate {
        let (certificate, key) = self.issue(name);
        let files = ClientCertificate {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        };
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }
}
