//! Everything that can be wrong with a signature, for every command that goes by one: never exit 0, in
//! words of its own, and nothing appears. Security row A40.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};

use modelctl::oci::Digest;
use modelctl::trust::PrivateKey;
use modelctl::trust::cosign::SIGN_PREDICATE;

use crate::support::env::{Env, Transcript};
use crate::support::folder::names;
use crate::support::scripted::{Reply, Scripted, Seen};
use crate::support::signed::{CLAIM, Signed, cosign, statement, weights, write_key};

const MISSING: &str = "no signature found for `";
const INVALID: &str = "signature invalid for `";
const UNCHECKED: &str = "could not check the signatures of `";

const POLICY: &str = "version = 1\n[[rule]]\nsmoke-test = \"skip\"\n[rule.signatures]\nsigners = [{ key = \"k.pub\" }]\n";

/// A place with the public half of a key, a policy that names it, and nothing else.
fn env(key: &PrivateKey) -> Env {
    let env = Env::new();
    write_key(&env.path("k.pub"), key);
    env.write("policy.toml", POLICY);
    env
}

/// Every command that goes by a signature.
fn commands(model: &str) -> Vec<Vec<&str>> {
    let key = ["--key", "k.pub"];
    let policy = ["--policy", "policy.toml"];
    let with = |words: &[&'static str], trust: [&'static str; 2]| -> Vec<&str> {
        [&words[..1], &[model], &words[1..], &trust].concat()
    };
    vec![
        with(&["pull", "-o", "out"], key),
        with(&["pull", "-o", "out", "--keep"], key),
        with(&["pull"], key),
        with(&["pull", "-o", "out"], policy),
        with(&["pull"], policy),
        with(&["verify"], key),
        with(&["verify"], policy),
        with(&["gate"], policy),
        with(&["lock"], policy),
    ]
}

/// Nothing is there that was not before: no folder, no lock, nothing in the store or the home folder.
#[track_caller]
fn left_nothing(env: &Env, transcript: &Transcript) {
    assert_eq!(
        names(&env.path("")),
        ["k.pub", "policy.toml"],
        "{transcript}"
    );
    assert_eq!(names(&env.root("home")), [""; 0], "{transcript}");
}

/// Runs every command, all at the same time. Each is refused with its code, says so, prints nothing but
/// what it verified, and leaves nothing.
#[track_caller]
fn all_refuse(key: &PrivateKey, address: SocketAddr, code: fn(&[&str]) -> i32, said: &[&str]) {
    let (env, model) = (env(key), format!("{address}/m:v1"));
    let commands = commands(&model);
    let transcripts: Vec<Transcript> = std::thread::scope(|scope| {
        let start = commands.iter().map(|arguments| {
            let env = &env;
            scope.spawn(move || env.run(arguments))
        });
        let running: Vec<_> = start.collect();
        let ended = running.into_iter().map(|each| each.join().unwrap());
        ended.collect()
    });
    for (arguments, transcript) in commands.iter().zip(&transcripts) {
        let code = Some(code(arguments));
        assert_eq!(transcript.code, code, "{arguments:?}: {transcript}");
        for said in said {
            let says = transcript.stderr.contains(said);
            assert!(says, "{said}: {arguments:?}: {transcript}");
        }
        if arguments[0] != "verify" {
            assert_eq!(transcript.stdout, "", "{arguments:?}");
        }
        left_nothing(&env, transcript);
    }
}

fn serve(signed: &Signed) -> Scripted {
    Scripted::serve(signed.honest(true), |_| None, None)
}

#[test]
fn a40_signature_that_was_removed_is_missing() {
    let key = PrivateKey::generate();
    let server = serve(&Signed::unsigned());
    all_refuse(&key, server.address, |_| 5, &[MISSING]);
    // An attestation of the key does not stand in for it.
    let digest = Signed::unsigned().digest();
    let attested = Signed::unsigned().referrer(&statement(&key, &digest, CLAIM), CLAIM);
    let server = serve(&attested);
    all_refuse(&key, server.address, |_| 5, &[MISSING]);
}

#[test]
fn a40_registry_without_a_list_of_signatures_has_none() {
    let key = PrivateKey::generate();
    let signed = Signed::unsigned().signed_by(&key);
    let gone = |seen: &Seen| {
        let is_list = seen.path().contains("/referrers/") || seen.path().contains("/sha256-");
        is_list.then(|| Reply::new(404, ""))
    };
    let server = Scripted::serve(signed.honest(true), gone, None);
    all_refuse(&key, server.address, |_| 5, &[MISSING]);
}

#[test]
fn a40_what_is_no_signature_is_invalid() {
    let key = PrivateKey::generate();
    let digest = Signed::unsigned().digest();
    let good = String::from_utf8(cosign(&key, &digest)).unwrap();
    let start = good.split("\"signatures\":").next().unwrap();
    let cases = [
        (
            format!("{start}\"signatures\":[]}}}}"),
            "has 0 signatures, expected one",
        ),
        (
            "{\"mediaType\":".to_owned(),
            "the signature bundle is malformed",
        ),
        (
            good.replace("bundle.v0.3", "bundle.v0.4"),
            "expected \"application/vnd.dev.sigstore.bundle.v0.3+json\"",
        ),
    ];
    for (bundle, said) in cases {
        let signed = Signed::unsigned().referrer(bundle.as_bytes(), SIGN_PREDICATE);
        let server = serve(&signed);
        all_refuse(&key, server.address, |_| 5, &[INVALID, said]);
    }
}

#[test]
fn a40_registry_that_fails_is_neither_missing_nor_invalid() {
    let key = PrivateKey::generate();
    let signed = Signed::unsigned().signed_by(&key);
    let blob = Digest::sha256(&cosign(&key, &signed.digest())).to_string();
    for (status, place) in [(500, "/referrers/"), (503, &blob)] {
        let place = place.to_owned();
        let away = move |seen: &Seen| {
            let reply = || Reply::new(status, "").with("Retry-After", "0");
            seen.path().contains(&place).then(reply)
        };
        let server = Scripted::serve(signed.honest(true), away, None);
        all_refuse(&key, server.address, |_| 6, &[UNCHECKED]);
    }
}

/// Behind a list that nobody lets us read may be anything. The gate cannot decide; who asks for a
/// signature himself is told to log in.
#[test]
fn a40_registry_that_does_not_let_us_look_is_not_trusted() {
    let key = PrivateKey::generate();
    let signed = Signed::unsigned().signed_by(&key);
    let denied = |seen: &Seen| {
        let is_list = seen.path().contains("/referrers/");
        is_list.then(|| Reply::new(403, ""))
    };
    let server = Scripted::serve(signed.honest(true), denied, None);
    let code = |arguments: &[&str]| match arguments.contains(&"--key") {
        true => 4,
        false => 7,
    };
    all_refuse(&key, server.address, code, &[UNCHECKED]);
}

#[test]
fn a40_network_that_is_down_is_unavailable() {
    // A port at which nobody listens any more.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    all_refuse(&PrivateKey::generate(), address, |_| 6, &["cannot connect"]);
}

/// Security row A34: what is verified is what is fetched, whatever the registry gives for a digest.
#[test]
fn a40_other_bytes_for_what_was_signed_are_refused() {
    let key = PrivateKey::generate();
    let signed = Signed::unsigned().signed_by(&key);
    let content = Digest::sha256(&weights()).to_string();
    let script = move |seen: &Seen| {
        let other = || Reply::new(200, vec![0; weights().len()]);
        seen.path().ends_with(&content).then(other)
    };
    let server = Scripted::serve(signed.honest(true), script, None);
    let (env, model) = (env(&key), format!("{}/m:v1", server.address));
    let pulled = env.run(&["pull", &model, "-o", "out", "--key", "k.pub"]);
    assert_eq!(pulled.code, Some(5), "{pulled}");
    assert!(
        pulled.stderr.contains("got content with digest"),
        "{pulled}"
    );
    assert!(!env.path("out").exists());
    let verified = env.run(&["verify", &model, "--key", "k.pub"]);
    assert_eq!(verified.code, Some(5), "{verified}");
}

/// Security row A34: a tag that moves while it is judged changes nothing; what was judged is what is said.
#[test]
fn a34_tag_that_moves_while_it_is_judged_changes_nothing() {
    let key = PrivateKey::generate();
    let signed = Signed::unsigned().signed_by(&key);
    let unsigned = Signed::with_layers(&[&PrivateKey::generate()]);
    let digest = signed.digest().to_string();
    for words in [
        &["gate"][..],
        &["pull", "-o", "out"],
        &["pull"],
        &["lock"],
        &["verify"],
    ] {
        let mut honest = unsigned.honest(true);
        signed.fill(&mut honest);
        let (asked, moved) = (AtomicUsize::new(0), unsigned.document.clone());
        let script = move |seen: &Seen| {
            let is_tag = seen.path().ends_with("/manifests/v1");
            let is_later = is_tag && asked.fetch_add(1, Ordering::SeqCst) > 0;
            let other = || Reply::new(200, moved.raw()).with("Content-Type", moved.media_type());
            is_later.then(other)
        };
        let server = Scripted::serve(honest, script, None);
        let (env, model) = (env(&key), format!("{}/m:v1", server.address));
        let arguments = [
            &words[..1],
            &[&model],
            &words[1..],
            &["--policy", "policy.toml"],
        ];
        let transcript = env.run(&arguments.concat());
        transcript.ok();
        if words[0] != "verify" {
            assert!(transcript.stdout.contains(&digest), "{transcript}");
        }
        let tags = server.lines().into_iter();
        let tags = tags.filter(|line| line.ends_with("/manifests/v1"));
        assert_eq!(tags.count(), 1, "{words:?}");
    }
}
