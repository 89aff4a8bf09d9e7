use std::os::unix::fs::PermissionsExt;

use super::*;

const OTHER: &str = r#"{"auths":{"other":{"auth":"eDp5"}},"HttpHeaders":{"a":"b"},"x":[1]}"#;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn login_keeps_what_others_wrote_and_is_for_the_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, OTHER).unwrap();
    let credentials = Credentials::default().file(&path);
    let credential = Credential::password("u", "p:q");
    let stored = credentials
        .store(&path, "docker.io", &credential)
        .await
        .unwrap();
    assert!(matches!(stored, StoredIn::File(_)));
    let expected = json!({
        "auths": {"other": {"auth": "eDp5"}, "https://index.docker.io/v1/": {"auth": "dTpwOnE="}},
        "HttpHeaders": {"a": "b"}, "x": [1]
    });
    assert_eq!(json(&path), expected);
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        credentials.find("docker.io", "a").await.unwrap(),
        Some(credential)
    );

    assert!(credentials.erase(&path, "index.docker.io").await.unwrap());
    assert!(!credentials.erase(&path, "docker.io").await.unwrap());
    assert_eq!(json(&path), serde_json::from_str::<Value>(OTHER).unwrap());
}

#[tokio::test]
async fn login_makes_the_file_and_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/config.json");
    let token = Credential::IdentityToken("T".into());
    Credentials::default()
        .store(&path, "h:1", &token)
        .await
        .unwrap();
    assert_eq!(
        json(&path),
        json!({"auths": {"h:1": {"identitytoken": "T"}}})
    );
}

#[tokio::test]
async fn link_to_the_file_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    std::fs::write(&target, "{}").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let credential = Credential::password("u", "p");
    Credentials::default()
        .store(&link, "h", &credential)
        .await
        .unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(json(&target), json!({"auths": {"h": {"auth": "dTpw"}}}));
}

#[tokio::test]
async fn named_helper_keeps_the_secret_out_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("docker-credential-keep");
    std::fs::write(&program, "#!/bin/sh\ncat > \"$(dirname \"$0\")/$1\"\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, r#"{"credsStore":"none","credHelpers":{"h":"keep"}}"#).unwrap();
    let credentials = Credentials::default().helper_folders([folder.path().to_owned()]);
    let credential = Credential::password("u", "canary");
    let stored = credentials.store(&path, "h", &credential).await.unwrap();
    assert_eq!(stored, StoredIn::Helper("keep".to_owned()));
    assert!(!std::fs::read_to_string(&path).unwrap().contains("canary"));
    assert!(credentials.erase(&path, "h").await.unwrap());
}

#[tokio::test]
async fn faulty_file_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    for text in ["{", "[]", r#"{"auths":[]}"#] {
        std::fs::write(&path, text).unwrap();
        let credential = Credential::password("u", "p");
        Credentials::default()
            .store(&path, "h", &credential)
            .await
            .unwrap_err();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
