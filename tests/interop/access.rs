//! Real clients log in at the embedded registry, over TLS, with users that Apache's htpasswd wrote.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::programs::{Server, finish, succeed, text};
use crate::support::scripted::Authority;

/// A registry for `alice`, who may push, and `bob`, who may not; to pull takes no password.
fn registry(trusted: &Path) -> Server {
    Server::embedded_with(|command, folder| {
        let authority = Authority::new();
        authority.write(trusted);
        let files = authority.files(folder, "localhost");
        let users = folder.join("users");
        for (user, options) in [("alice", "-cbB"), ("bob", "-bB")] {
            let mut htpasswd = Command::new("htpasswd");
            succeed(htpasswd.arg(options).arg(&users).args([user, user]));
        }
        command
            .arg("--htpasswd")
            .arg(users)
            .args(["--anonymous-read", "--writer", "alice", "--tls-cert"])
            .arg(files.certificate)
            .arg("--tls-key")
            .arg(files.key);
    })
}

/// A client's home: where it keeps its passwords, and whom it trusts.
struct Home {
    folder: TempDir,
    host: String,
}

impl Home {
    fn new(host: &str, trusted: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        fs::copy(trusted, folder.path().join("ca.crt")).unwrap();
        Self {
            folder,
            host: host.to_owned(),
        }
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        let home = self.folder.path();
        command
            .env("HOME", home)
            .env("DOCKER_CONFIG", home)
            .env("REGISTRY_AUTH_FILE", home.join("auth.json"))
            .env("SSL_CERT_FILE", home.join("ca.crt"))
            .current_dir(home)
            .stdin(Stdio::null());
        command
    }

    /// How each client logs in, pushes the file `blob.bin`, and pulls it.
    fn verbs(&self, client: &str, user: &str) -> [Command; 3] {
        let words = |words: &[&str]| {
            let mut command = self.program(client);
            command.args(words);
            command
        };
        let host = self.host.as_str();
        // What alice has pushed is there already, and might not be pushed again.
        let target = format!("{host}/{user}/{client}:v1");
        let target = target.as_str();
        let reference = format!("{host}/alice/{client}:v1");
        let reference = reference.as_str();
        let login = |verb: &[&str], further: &[&str]| {
            words(&[verb, &["-u", user, "-p", user, host], further].concat())
        };
        let certificates = self.folder.path().display().to_string();
        match client {
            "oras" => {
                // Localhost is no reason to do without TLS.
                let further = ["--plain-http=false", "--registry-config", "config.json"];
                let with = |first: &[&str]| words(&[first, &further].concat());
                [
                    login(&["login"], &further),
                    with(&["push", target, "blob.bin"]),
                    with(&["pull", "-o", "pulled", reference]),
                ]
            }
            "crane" => [
                login(&["auth", "login"], &[]),
                words(&["append", "--oci-empty-base", "-f", "blob.tar", "-t", target]),
                words(&["pull", reference, "pulled.tar"]),
            ],
            "skopeo" => [
                login(&["login"], &["--cert-dir", &certificates]),
                words(&[
                    "copy",
                    "--dest-cert-dir",
                    &certificates,
                    "oci:layout:v1",
                    &format!("docker://{target}"),
                ]),
                words(&[
                    "copy",
                    "--src-cert-dir",
                    &certificates,
                    &format!("docker://{reference}"),
                    "dir:pulled",
                ]),
            ],
            other => unreachable!("{other}"),
        }
    }
}

/// Security row A28: with real clients, each right is given to whom it belongs, and to nobody else.
#[test]
#[ignore = "needs oras, crane, skopeo and htpasswd"]
fn a28_clients_log_in_push_and_pull_as_far_as_they_may() {
    let folder = TempDir::new().unwrap();
    let trusted = folder.path().join("authority.pem");
    let server = registry(&trusted);
    let port = server.address.rsplit(':').next().unwrap();
    let host = format!("localhost:{port}");
    for client in ["oras", "crane", "skopeo"] {
        let strangers = Home::new(&host, &trusted);
        let readers = Home::new(&host, &trusted);
        let writers = Home::new(&host, &trusted);
        for home in [&strangers, &readers, &writers] {
            prepare(home);
        }
        let fails = |mut command: Command, because: &str| {
            let output = finish(&mut command);
            assert!(!output.status.success(), "{client}: {}", text(&output));
            let text = text(&output).to_lowercase();
            assert!(text.contains(because), "{client}: {text}");
        };
        let [mut login, mut push, _] = writers.verbs(client, "alice");
        succeed(&mut login);
        succeed(&mut push);
        let [mut login, push, mut pull] = readers.verbs(client, "bob");
        succeed(&mut login);
        fails(push, "denied");
        succeed(&mut pull);
        let [_, push, mut pull] = strangers.verbs(client, "nobody");
        // oras does not even ask whom it has no password for.
        let because = match client {
            "oras" => "credential not found",
            _ => "unauthorized",
        };
        fails(push, because);
        succeed(&mut pull);
        // `nobody` with the password `nobody`.
        let [login, ..] = strangers.verbs(client, "nobody");
        if client != "crane" {
            // crane keeps a password without trying it.
            fails(login, "password");
        }
    }
}

/// Puts into a home what its client is to push.
fn prepare(home: &Home) {
    let folder = home.folder.path();
    fs::write(folder.join("blob.bin"), vec![7; 3_000_000]).unwrap();
    succeed(home.program("tar").args(["-cf", "blob.tar", "blob.bin"]));
    succeed(
        home.program("oras")
            .args(["push", "--oci-layout", "layout:v1", "blob.bin"]),
    );
}
