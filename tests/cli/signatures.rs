//! `--key`: nothing appears before a signature is verified, and three refusals that programs and
//! people tell apart. Security rows A34, A40, A41 and A43.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use modelctl::oci::{Digest, Document};
use modelctl::trust::PrivateKey;
use modelctl::trust::cosign::SIGN_PREDICATE;

use crate::support::env::{Env, Transcript};
use crate::support::scripted::{Honest, Reply, Scripted, Seen};
use crate::support::signed::{CLAIM, Signed, cosign, payload, statement, weights, write_key};

/// A place with the public key `k.pub`, and the key.
fn env() -> (Env, PrivateKey) {
    let (env, key) = (Env::new(), PrivateKey::generate());
    write_key(&env.path("k.pub"), &key);
    (env, key)
}

fn serve(honest: Honest) -> Scripted {
    Scripted::serve(honest, |_| None, None)
}

fn model_of(server: &Scripted) -> String {
    format!("{}/m:v1", server.address)
}

/// Asserts a refusal before anything was fetched or written.
#[track_caller]
fn refused(env: &Env, server: &Scripted, transcript: &Transcript, expected: &str) {
    transcript.is(expected);
    let store = env.root("home/.local/share/modelctl");
    assert!(!env.path("out").exists() && !store.exists());
    let content = Digest::sha256(&weights()).to_string();
    assert!(!server.text().contains(&content), "{}", server.text());
}

/// Runs `pull` in its three ways; each has to be refused in the same words.
fn all_refuse(env: &Env, server: &Scripted, more: &[&str], expected: &str) {
    let model = model_of(server);
    for form in [&["-o", "out"][..], &["-o", "out", "--keep"], &[]] {
        let mut arguments = vec!["pull", &model, "--key", "k.pub"];
        arguments.extend(form);
        arguments.extend(more);
        refused(env, server, &env.run(&arguments), expected);
    }
}

#[test]
fn pull_verifies_before_anything_appears() {
    let (env, key) = env();
    let signed = Signed::with_layers(&[&key]).signed_by(&key);
    let server = serve(signed.honest(true));
    let model = model_of(&server);
    let id = key.public_key().id();
    let pulled = env.run(&["pull", &model, "-o", "out", "--key", "k.pub"]);
    let expected = format!(
        "\
exit 0
sha256:[DIGEST]
--- stderr
model-signing in layer `.modelctl/signatures/0.sig`: by key {id}, over the files and the model manifest; does not prove when it was made, nor the config, the annotations and the graphs without weights
cosign in referrer `sha256:[DIGEST]`: by key {id}, over the manifest, and by it every layer, the config and all annotations; does not prove when it was made
pulled 3 files"
    );
    // The length of a signature varies by a byte or two.
    assert!(pulled.to_string().starts_with(&expected), "{pulled}");
    assert_eq!(fs::read(env.path("out/weights.bin")).unwrap(), weights());
    env.run(&["pull", &model, "--key", "k.pub", "-q"]).ok();
    // The layer is all that a copy without referrers has.
    let store = format!("store:{model}");
    env.run(&["pull", &store, "-o", "again", "--key", "k.pub", "-q"])
        .ok();
}

#[test]
fn a40_missing_invalid_and_unchecked_are_three_answers() {
    let (env, key) = env();
    let server = serve(Signed::unsigned().honest(true));
    all_refuse(&env, &server, &[], "\
exit 5
--- stderr
error: no signature found for `sha256:[DIGEST]`

hint: signatures beside an artifact are lost where it is copied without its referrers: `modelctl cp` brings them along, and `pack --sign-key` puts one into the artifact
");
    all_refuse(&env, &server, &["--json"], "\
exit 5
--- stderr
{\"error\":\"no signature found for `sha256:[DIGEST]`\",\"code\":\"signature-missing\",\"exitCode\":5,\"hint\":\"signatures beside an artifact are lost where it is copied without its referrers: `modelctl cp` brings them along, and `pack --sign-key` puts one into the artifact\"}
");

    let other = PrivateKey::generate();
    let server = serve(Signed::unsigned().signed_by(&other).honest(true));
    all_refuse(&env, &server, &[], "\
exit 5
--- stderr
error: signature invalid for `sha256:[DIGEST]`: referrer `sha256:[DIGEST]`: it is by none of the keys given
");
    all_refuse(&env, &server, &["--json"], "\
exit 5
--- stderr
{\"error\":\"signature invalid for `sha256:[DIGEST]`: referrer `sha256:[DIGEST]`: it is by none of the keys given\",\"code\":\"signature-invalid\",\"exitCode\":5}
");

    let signed = Signed::unsigned().signed_by(&key);
    let away = |seen: &Seen| {
        let reply = Reply::new(503, "").with("Retry-After", "0");
        seen.path().contains("/referrers/").then_some(reply)
    };
    let server = Scripted::serve(signed.honest(true), away, None);
    let digest = signed.digest();
    let expected = format!("\
exit 6
--- stderr
error: could not check the signatures of `sha256:[DIGEST]`: list of referrers: `GET http://127.0.0.1:[PORT]/v2/m/referrers/{digest}` failed:"
    ).replace(&digest.to_string(), "sha256:[DIGEST]");
    let pulled = env.run(&["pull", &model_of(&server), "-o", "out", "--key", "k.pub"]);
    assert!(pulled.to_string().starts_with(&expected), "{pulled}");
    assert!(!env.path("out").exists());
    let pulled = env.run(&["pull", &model_of(&server), "--key", "k.pub", "--json"]);
    assert!(
        pulled
            .stderr
            .contains("\"code\":\"signature-unchecked\",\"exitCode\":6"),
        "{pulled}"
    );
}

#[test]
fn a40_blob_that_is_gone_is_not_a_signature_that_is_missing() {
    let (env, key) = env();
    let signed = Signed::unsigned().signed_by(&key);
    let mut honest = signed.honest(true);
    let bundle = Digest::sha256(&cosign(&key, &signed.digest())).to_string();
    honest.blobs.remove(&bundle);
    let server = serve(honest);
    let pulled = env.run(&["pull", &model_of(&server), "-o", "out", "--key", "k.pub"]);
    let text = pulled.to_string();
    let expected = "\
exit 5
--- stderr
error: could not check the signatures of `sha256:[DIGEST]`: referrer `sha256:[DIGEST]`: ";
    assert!(text.starts_with(expected), "{text}");
    assert!(!env.path("out").exists());
}

#[test]
fn a41_signature_of_another_artifact_is_refused() {
    let (env, key) = env();
    let other = Signed::with_layers(&[&key]);
    let bundle = cosign(&key, &other.digest());
    let server = serve(
        Signed::unsigned()
            .referrer(&bundle, SIGN_PREDICATE)
            .honest(true),
    );
    all_refuse(&env, &server, &[], "\
exit 5
--- stderr
error: signature invalid for `sha256:[DIGEST]`: referrer `sha256:[DIGEST]`: it is over another manifest, \"sha256:[DIGEST]\"
");
}

#[test]
fn a42_every_key_has_to_have_signed_and_counts_once() {
    let (env, key) = env();
    let other = PrivateKey::generate();
    write_key(&env.path("other.pub"), &other);
    write_key(&env.path("again.pub"), &key);
    let signed = Signed::with_layers(&[&key]).signed_by(&key);
    let server = serve(signed.honest(true));
    let id = other.public_key().id();
    all_refuse(&env, &server, &["--key", "other.pub", "--all-keys"], &format!("\
exit 5
--- stderr
error: no signature found for `sha256:[DIGEST]` by key {id}

hint: signatures beside an artifact are lost where it is copied without its referrers: `modelctl cp` brings them along, and `pack --sign-key` puts one into the artifact
"));
    let model = model_of(&server);
    let verify = |more: &[&str]| {
        let mut arguments = vec!["verify", &model, "--key", "k.pub"];
        arguments.extend(more);
        env.run(&arguments)
    };
    verify(&["--key", "other.pub"]).ok();
    verify(&["--key", "again.pub", "--all-keys"]).ok();
    let both = verify(&["--key", "other.pub", "--all-keys"]);
    let lacking = format!("by key {}\n", other.public_key().id());
    assert_eq!(both.code, Some(5), "{both}");
    assert!(both.stderr.contains(&lacking), "{both}");
    env.run(&["pull", &model, "--all-keys"]).is("\
exit 2
--- stderr
error: the following required arguments were not provided:
  --key <KEY>

Usage: modelctl pull --key <KEY> --all-keys <ARTIFACT>

For more information, try '--help'.
");
}

#[test]
fn a43_too_many_signatures_are_refused_though_one_is_valid() {
    let (env, key) = env();
    let mut signed = Signed::with_layers(&[&key]);
    let digest = signed.digest();
    for number in 0..50 {
        let claim = format!("{CLAIM}/{number}");
        signed = signed.referrer(&statement(&key, &digest, &claim), &claim);
    }
    let server = serve(signed.honest(true));
    all_refuse(
        &env,
        &server,
        &[],
        "\
exit 5
--- stderr
error: could not check the signatures of `sha256:[DIGEST]`: too many signatures (limit 50)
",
    );
    // Without a key it is only told.
    let verified = env.run(&["verify", &model_of(&server)]);
    assert_eq!(verified.code, Some(0), "{verified}");
    let told =
        format!("could not check the signatures of `{digest}`: too many signatures (limit 50)\n");
    assert!(verified.stderr.starts_with(&told), "{verified}");
}

/// Security row A34: a tag that moves after it was resolved changes nothing.
#[test]
fn a34_what_was_verified_is_what_is_pulled() {
    let (env, key) = env();
    let signed = Signed::unsigned().signed_by(&key);
    let evil = Signed::with_layers(&[&PrivateKey::generate()]);
    let mut honest = signed.honest(true);
    evil.fill(&mut honest);
    honest.manifest(&signed.document, "v1");
    let (asked, moved) = (AtomicUsize::new(0), evil.document.clone());
    let script = move |seen: &Seen| {
        let is_tag = seen.path().ends_with("/manifests/v1");
        (is_tag && asked.fetch_add(1, Ordering::SeqCst) > 0).then(|| manifest(&moved))
    };
    let server = Scripted::serve(honest, script, None);
    let model = model_of(&server);
    let arguments = ["pull", &model, "-o", "out", "--keep", "--key", "k.pub"];
    assert_eq!(env.run(&arguments).ok(), signed.digest().to_string());
    let tags = server
        .log()
        .into_iter()
        .filter(|seen| seen.path().ends_with("/manifests/v1"));
    assert_eq!(tags.count(), 1);
    let kept = env.run(&["inspect", &format!("store:{model}"), "--json"]);
    assert_eq!(kept.json()["digest"], signed.digest().to_string());
}

fn manifest(document: &Document) -> Reply {
    Reply::new(200, document.raw()).with("Content-Type", document.media_type())
}

/// A signature over files says nothing of the layers that the split layout writes.
#[test]
fn split_layout_takes_no_signature_over_files() {
    let (env, key) = env();
    let server = serve(Signed::with_layers(&[&key]).honest(true));
    let model = model_of(&server);
    let arguments = [
        "pull", &model, "-o", "out", "--layout", "split", "--key", "k.pub",
    ];
    refused(&env, &server, &env.run(&arguments), "\
exit 5
--- stderr
error: signature invalid for `sha256:[DIGEST]`: layer `.modelctl/signatures/0.sig`: its form, model-signing, is not accepted: it does not prove when it was made, nor the config, the annotations and the graphs without weights
");
    let server = serve(Signed::with_layers(&[&key]).signed_by(&key).honest(true));
    let model = model_of(&server);
    let arguments = [
        "pull", &model, "-o", "out", "--layout", "split", "--key", "k.pub",
    ];
    env.run(&arguments).ok();
}

#[test]
fn verify_prints_one_line_for_each_signature() {
    let (env, key) = env();
    let other = PrivateKey::generate();
    let signed = Signed::with_layers(&[&key]).signed_by(&other);
    let digest = signed.digest();
    let signed = signed.legacy(&[&key], &payload(&digest));
    let signed = signed.referrer(&statement(&key, &digest, CLAIM), CLAIM);
    let server = serve(signed.honest(false));
    let model = model_of(&server);
    let id = key.public_key().id();
    let hex = digest.hex();
    let verified = env.run(&["verify", &model, "--key", "k.pub"]);
    let mut lines: Vec<&str> = verified.stdout.lines().skip(6).collect();
    lines.sort();
    let squeezed: Vec<String> = lines
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let referrers: Vec<_> = signed.referrers.iter().map(Document::digest).collect();
    assert_eq!(
        squeezed,
        [
            format!(
                "other-signer signature cosign referrer `{}` it is by none of the keys given",
                referrers[0]
            ),
            format!(
                "valid attestation {CLAIM} referrer `{}` by key {id}, over a claim about the manifest; does not prove that the claim is true, nor when it was made",
                referrers[1]
            ),
            format!(
                "valid signature cosign-legacy layer 0 of tag `sha256-{hex}.sig` by key {id}, over the digest of the manifest, and by it every layer, the config and all annotations; does not prove when it was made, nor the name that it was made for"
            ),
            format!(
                "valid signature model-signing layer `.modelctl/signatures/0.sig` by key {id}, over the files and the model manifest; does not prove when it was made, nor the config, the annotations and the graphs without weights"
            ),
        ]
    );
    let address = server.address;
    assert_eq!(
        verified.stderr,
        format!("verified {address}/m:v1: 6 checks, signed by key {id}\n")
    );
    assert_eq!(verified.code, Some(0));

    let report = env
        .run(&["verify", &model, "--key", "k.pub", "--json"])
        .json();
    let signatures = report["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 4);
    let layer = &signatures[0];
    assert_eq!(layer["source"]["kind"], "layer");
    assert_eq!(layer["outcome"], "valid");
    assert_eq!(layer["form"], "model-signing");
    assert_eq!(layer["signer"]["key"], id.to_string());
    assert_eq!(layer["over"], "the files and the model manifest");
    assert!(layer["doesNotProve"].is_string());

    let listed = env.run(&["verify", &model]);
    let notes: Vec<&str> = listed.stderr.lines().collect();
    assert_eq!(notes.len(), 5, "{listed}");
    assert_eq!(
        notes[0],
        "not checked: signature model-signing in layer `.modelctl/signatures/0.sig`: no key was given"
    );
    assert!(notes[4].ends_with("/m:v1: 6 checks"));
    assert_eq!(listed.code, Some(0));
}

/// What verifies an artifact fails where nobody has signed it, after all digests were checked.
#[test]
fn verify_of_every_place_needs_a_signature_of_the_key() {
    let (env, key) = env();
    let server = serve(Signed::with_layers(&[&PrivateKey::generate()]).honest(true));
    let model = model_of(&server);
    env.run(&["cp", &model, "oci:layout:v1", "-q"]).ok();
    env.run(&["cp", &model, "oci-archive:a.tar:v1", "-q"]).ok();
    let places = [&model, "oci:layout:v1", "oci:layout", "oci-archive:a.tar"];
    for place in places {
        let verified = env.run(&["verify", place, "--key", "k.pub"]);
        assert_eq!(verified.code, Some(5), "{place}: {verified}");
        assert!(
            verified.stdout.contains("pass  file"),
            "{place}: {verified}"
        );
        let error = "error: signature invalid for";
        assert!(verified.stderr.starts_with(error), "{place}: {verified}");
    }
    env.write("broken.pub", "x");
    env.run(&["verify", &model, "--key", "broken.pub"]).is("\
exit 1
--- stderr
error: cannot use the key `broken.pub`
  caused by: it is not a PEM file of at most 64 KiB
");
    let signed = Signed::unsigned().signed_by(&key);
    let server = serve(signed.honest(true));
    env.run(&["cp", &model_of(&server), "oci:signed:v1", "-q"])
        .ok();
    env.run(&["verify", "oci:signed", "--key", "k.pub", "-q"])
        .ok();
    env.run(&["pull", "oci:signed", "-o", "out", "--key", "k.pub", "-q"])
        .ok();
}

/// Keyless: what is signed with a key is by somebody else, and nothing is fetched to find that out.
#[test]
fn identity_needs_its_issuer_and_a_trusted_root() {
    let (env, key) = env();
    let signed = Signed::with_layers(&[]).signed_by(&key);
    let server = serve(signed.honest(true));
    let model = model_of(&server);
    let root = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/keyless/trusted-root.json"
    );
    let identity = [
        "verify",
        &model,
        "--certificate-identity",
        "https://ci.example/*",
    ];
    assert_eq!(env.run(&identity).code, Some(2));
    let issuer = ["--certificate-oidc-issuer", "https://token.ci.example"];
    let rooted = ["--trusted-root", root];
    let refused = env.run(&[&identity[..], &issuer, &rooted].concat());
    assert_eq!(refused.code, Some(5), "{refused}");
    let said = "it is by the holder of a key, and none is trusted";
    assert!(refused.stderr.contains(said), "{refused}");
    let either = ["--key", "k.pub"];
    env.run(&[&identity[..], &issuer, &rooted, &either].concat())
        .ok();
    let malformed = env.write("root.json", "{}");
    let rooted = ["--trusted-root", malformed.to_str().unwrap()];
    let refused = env.run(&[&identity[..], &issuer, &rooted].concat());
    assert!(
        refused.stderr.contains("cannot use the trusted root"),
        "{refused}"
    );
}
