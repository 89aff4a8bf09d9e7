use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::ErrorKind;

/// A helper that is a shell script.
fn script(text: &str) -> (tempfile::TempDir, Helper) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("docker-credential-test");
    std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut helper = Helper::new("test", &[folder.path().to_owned()]).unwrap();
    helper.time_limit = Duration::from_secs(5);
    (folder, helper)
}

async fn get(text: &str) -> Result<Option<Credential>, String> {
    let (_folder, helper) = script(text);
    helper
        .get("h:5000")
        .await
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn helper_is_asked_for_the_key() {
    let answer =
        r#"read key; echo "{\"ServerURL\":\"$key\",\"Username\":\"u $1 $key\",\"Secret\":\"s\"}""#;
    assert_eq!(
        get(answer).await,
        Ok(Some(Credential::password("u get h:5000", "s")))
    );
}

#[tokio::test]
async fn token_user_means_identity_token() {
    let answer = r#"echo '{"Username":"<token>","Secret":"s"}'"#;
    assert_eq!(
        get(answer).await,
        Ok(Some(Credential::IdentityToken("s".into())))
    );
}

#[tokio::test]
async fn helper_without_the_key_has_nothing() {
    let answer = "echo credentials not found in native keychain; exit 1";
    assert_eq!(get(answer).await, Ok(None));
}

/// Security row A27.
#[tokio::test]
async fn faulty_helpers_are_named() {
    let name = "credential helper `docker-credential-test`";
    for (text, reason) in [
        ("echo no; exit 3", "failed (exit status: 3): no"),
        (
            "echo canary",
            "answered with something that is not its JSON",
        ),
        (
            "yes | head -c 100000000",
            "answered with more than 1048576 bytes",
        ),
        ("exit 0", "answered with something that is not its JSON"),
    ] {
        assert_eq!(get(text).await, Err(format!("{name} {reason}")));
    }
}

/// Security row A27.
#[tokio::test]
async fn helper_that_hangs_is_given_up() {
    let (_folder, mut helper) = script("exec sleep 60");
    helper.time_limit = Duration::from_millis(200);
    let error = helper.get("h").await.unwrap_err();
    assert!(
        error.to_string().contains("did not answer within"),
        "{error}"
    );
}

/// Security row A27.
#[test]
fn hostile_names_are_no_helpers() {
    for name in [
        "../x",
        "a/b",
        "",
        "a b",
        "x;y",
        "\u{e9}",
        "a\0",
        &"x".repeat(101),
    ] {
        let error = Helper::new(name, &["/bin".into()]).unwrap_err();
        assert!(
            matches!(error, CredentialError::HelperName { .. }),
            "{name:?}"
        );
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
    let missing = Helper::new("nothing-of-this-name", &["/bin".into()]).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "credential helper `docker-credential-nothing-of-this-name` was not found"
    );
}

/// CVE-2025-15558: nothing is run from the working directory.
#[test]
fn relative_folders_are_not_searched() {
    let found = Helper::new("test", &["".into(), ".".into(), "bin".into()]);
    assert!(matches!(found, Err(CredentialError::NoHelper { .. })));
}

#[tokio::test]
async fn store_and_erase_say_what_they_are_asked() {
    let (folder, helper) = script(r#"cat > "$(dirname "$0")/$1""#);
    helper
        .store("h", &Credential::password("u", "s"))
        .await
        .unwrap();
    assert!(helper.erase("h").await.unwrap());
    let said = |verb| std::fs::read_to_string(folder.path().join(verb)).unwrap();
    assert_eq!(
        said("store"),
        r#"{"Secret":"s","ServerURL":"h","Username":"u"}"#
    );
    assert_eq!(said("erase"), "h");
}
