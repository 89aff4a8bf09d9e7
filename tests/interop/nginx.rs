//! nginx in front of a registry, as sites have it: with limits, redirects, passwords, TLS.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::programs::{Process, free_address};
use crate::support::scripted::Authority;

/// What nginx does beside passing requests on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Site {
    /// The longest body of a request, as nginx writes sizes.
    pub(crate) body_limit: Option<&'static str>,
    /// Blobs are elsewhere, and whoever brings a password there is sent away: as with S3.
    pub(crate) redirects: bool,
    /// `user` has to say `secret`.
    pub(crate) password: bool,
    /// TLS with a certificate of an authority made for it.
    pub(crate) tls: bool,
}

/// An nginx that is stopped when dropped.
pub(crate) struct Nginx {
    /// `localhost:port` with TLS, else `127.0.0.1:port`.
    pub(crate) address: String,
    /// Who vouches for it, where it speaks TLS.
    pub(crate) authority: Option<PathBuf>,
    _process: Process,
    _folder: TempDir,
}

/// The user `user` with the password `secret`.
const USER: &str = "user:$2b$04$aK3p177BBMQvRWTIu4F/CO2.tyP.2/RlVTvXmEqKeqJwXBuxxz0bi\n";

impl Nginx {
    /// Starts it in front of `127.0.0.1:port`.
    pub(crate) fn before(registry: &str, site: Site) -> Self {
        let folder = TempDir::new().unwrap();
        let (address, elsewhere) = (free_address(), free_address());
        let port = address.rsplit(':').next().unwrap();
        let mut server = format!("listen {address}{};\n", if site.tls { " ssl" } else { "" });
        let limit = site.body_limit.unwrap_or("0");
        server += &format!("client_max_body_size {limit};\n");
        let authority = site.tls.then(|| certify(folder.path(), &mut server));
        if site.password {
            let users = folder.path().join("users");
            fs::write(&users, USER).unwrap();
            let users = users.display();
            server += &format!("auth_basic registry;\nauth_basic_user_file {users};\n");
        }
        let pass = pass(registry);
        let mut others = String::new();
        if site.redirects {
            server += &format!(
                "location ~ /blobs/sha256: {{\n  if ($request_method = GET) {{ \
                 return 307 http://{elsewhere}$uri?signature=good; }}\n{pass}}}\n"
            );
            others = format!(
                "server {{\nlisten {elsewhere};\nif ($http_authorization) {{ return 400; }}\n\
                 if ($arg_signature != good) {{ return 403; }}\nlocation / {{\n{pass}}}\n}}\n"
            );
        }
        server += &format!("location / {{\n{pass}}}\n");
        let config = folder.path().join("nginx.conf");
        let text = format!("{}server {{\n{server}}}\n{others}}}\n", head(folder.path()));
        fs::write(&config, text).unwrap();
        let mut command = Command::new("nginx");
        command
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .arg("-c")
            .arg(&config);
        Self {
            _process: Process::start("nginx", command, &address),
            address: match site.tls {
                true => format!("localhost:{port}"),
                false => address,
            },
            authority,
            _folder: folder,
        }
    }
}

/// Makes a certificate, and names it in the configuration; returns who vouches for it.
fn certify(folder: &Path, server: &mut String) -> PathBuf {
    let authority = Authority::new();
    let trusted = folder.join("authority.pem");
    authority.write(&trusted);
    let files = authority.files(folder, "localhost");
    *server += &format!(
        "ssl_certificate {};\nssl_certificate_key {};\n",
        files.certificate.display(),
        files.key.display()
    );
    trusted
}

/// One process of the user who runs the tests, with all its files in one folder.
fn head(folder: &Path) -> String {
    let folder = folder.display();
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let paths = kinds.map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"));
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{}",
        paths.concat()
    )
}

/// Passes a request on as it is, and says what the client called us.
fn pass(registry: &str) -> String {
    format!(
        "proxy_pass http://{registry};\nproxy_http_version 1.1;\nproxy_request_buffering off;\n\
         proxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-Proto $scheme;\n\
         proxy_set_header Authorization \"\";\n"
    )
}
