//! Keys on P-384 and P-521.

use super::{LEGACY, Place};
use crate::interop::programs::Server;

/// cosign signs with the hash of the curve, and verifies with SHA-256 unless it is told otherwise.
#[test]
#[ignore = "needs cosign and the registries"]
fn keys_on_larger_curves_sign_for_either_program() {
    let place = Place::new();
    let server = Server::distribution();
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys");
    for (curve, hash) in [("p384", "sha384"), ("p521", "sha512")] {
        let plain = format!("{vectors}/{curve}.pkcs8.pem");
        let import = ["import-key-pair", "--key", &plain, "--output-key-prefix"];
        place.cosign(&[&import[..], &[curve]].concat());
        let (key, public) = (format!("{curve}.key"), format!("{curve}.pub"));
        for form in [&[][..], &LEGACY] {
            let name = format!("{curve}/{}", ["bundle", "legacy"][form.len()]);
            let (_, pinned) = place.pushed(&server, &format!("ours/{name}"));
            let sign = ["sign", &pinned, "--key", &key, "--legacy", "-q"];
            place.modelctl(&sign);
            let told = [form, &["--signature-digest-algorithm", hash]].concat();
            place.accepts("verify", &public, &told, &pinned);
            place.refuses("verify", &public, form, &pinned);
            place.refuses("verify", "cosign.pub", &told, &pinned);

            let (_, pinned) = place.pushed(&server, &format!("theirs/{name}"));
            let sign = ["sign", "--yes", "--key", &key, "--allow-http-registry"];
            let unlogged = ["--use-signing-config=false", "--tlog-upload=false", &pinned];
            place.cosign(&[&sign[..], form, &unlogged].concat());
            place.modelctl(&["verify", &pinned, "--key", &public]);
        }
    }
}
