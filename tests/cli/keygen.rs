//! `keygen`: the pair, who can read it, and that nothing is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use modelctl::trust::{Passphrase, PrivateKey, PublicKey};

use crate::support::env::Env;

const P384: &str = include_str!("../vectors/keys/p384.sec1.pem");
const P384_PUBLIC: &str = include_str!("../vectors/keys/p384.pub");

#[test]
fn keygen_writes_a_pair_that_its_passphrase_opens() {
    let env = Env::new().with("COSIGN_PASSWORD", "canary");
    let transcript = env.run(&["keygen", "-o", "release", "--json"]);
    let report = transcript.json();
    assert!(!transcript.to_string().contains("canary"));
    assert_eq!(report["privateKey"], "release.key");

    let read = |name: &str| fs::read(env.path(name)).unwrap();
    let mode = |name: &str| fs::metadata(env.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("release.key"), mode("release.pub")), (0o600, 0o644));
    let public = PublicKey::parse(&read("release.pub")).unwrap();
    assert_eq!(report["id"], public.id().to_string());
    let passphrase = Passphrase::from("canary".to_owned());
    let private = PrivateKey::parse(&read("release.key"), Some(&passphrase)).unwrap();
    assert_eq!(private.public_key(), public);

    let before = read("release.key");
    env.run(&["keygen", "-o", "release"]).is("\
exit 1
--- stderr
error: `release.pub`: entity already exists
");
    assert_eq!(read("release.key"), before);
}

#[test]
fn passphrase_comes_from_a_descriptor_the_environment_or_not_at_all() {
    let env = Env::new();
    env.run(&["keygen"]).is("\
exit 2
--- stderr
error: no passphrase was given

hint: give `--passphrase-fd FD`, or set COSIGN_PASSWORD or MODELCTL_KEY_PASSWORD
");
    assert_eq!(fs::read_dir(env.path("")).unwrap().count(), 0);

    let passphrase = env.write("passphrase", "from a descriptor\nmore\n");
    let mut command = env.command(&["keygen", "--passphrase-fd", "0", "-q"]);
    command.stdin(fs::File::open(passphrase).unwrap());
    env.run_command(command).ok();
    let key = fs::read(env.path("modelctl.key")).unwrap();
    let passphrase = Passphrase::from("from a descriptor".to_owned());
    PrivateKey::parse(&key, Some(&passphrase)).unwrap();

    let env = Env::new().with("MODELCTL_KEY_PASSWORD", "");
    let transcript = env.run(&["keygen"]);
    transcript.ok();
    let warning = "warning: the passphrase is empty: whoever can read the key can sign\n";
    assert!(transcript.stderr.starts_with(warning), "{transcript}");
}

#[test]
fn public_half_of_a_key_is_written_again() {
    let env = Env::new()
        .with("COSIGN_PASSWORD", "canary")
        .with("KEY", P384);
    env.run(&["keygen", "--from", "env://KEY", "-o", "old"])
        .ok();
    let public = fs::read_to_string(env.path("old.pub")).unwrap();
    assert_eq!(public, P384_PUBLIC);

    env.run(&["keygen", "-o", "new", "-q"]).ok();
    fs::remove_file(env.path("new.pub")).unwrap();
    let wrong = Env::new().with("COSIGN_PASSWORD", "wrong");
    let key = fs::read(env.path("new.key")).unwrap();
    fs::set_permissions(
        wrong.write("new.key", key),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    wrong.run(&["keygen", "--from", "new.key"]).is("\
exit 4
--- stderr
warning: others can read the private key `new.key`; `chmod 600` keeps it to you
error: cannot use the key `new.key`
  caused by: the passphrase does not open it
");
    let none = Env::new();
    none.write("public.pem", P384_PUBLIC);
    none.run(&["keygen", "--from", "env://ABSENT"]).is("\
exit 3
--- stderr
error: `env://ABSENT`: entity not found
");
    let transcript = none.run(&["keygen", "--from", "public.pem"]);
    assert_eq!(transcript.code, Some(1), "{transcript}");
    assert!(
        transcript
            .stderr
            .contains("it holds a `PUBLIC KEY`, expected a private key")
    );
}
