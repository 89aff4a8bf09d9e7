use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

#[test]
fn error_document_is_read() {
    let body = br#"{"errors":[{"code":"DIGEST_INVALID","message":"no"},{"code":"X"}]}"#;
    let rejection = Rejection::read(400, &HeaderMap::new(), body);
    assert_eq!(
        rejection.to_string(),
        "the registry refused (400): DIGEST_INVALID no; X"
    );
    assert_eq!(rejection.kind(), ErrorKind::Mismatch);
}

/// Security row Q13.
#[test]
fn missing_blob_is_found_in_every_form() {
    let digest = Digest::sha256(b"layer");
    for (code, detail, found) in [
        ("MANIFEST_BLOB_UNKNOWN", format!("\"{digest}\""), true),
        ("BLOB_UNKNOWN", format!(r#"{{"Digest":"{digest}"}}"#), true),
        ("BLOB_UNKNOWN", format!(r#"[{{"a":["{digest}"]}}]"#), true),
        ("BLOB_UNKNOWN", r#""sha256:canary""#.to_owned(), false),
        ("BLOB_UNKNOWN", "null".to_owned(), false),
        ("MANIFEST_UNKNOWN", format!("\"{digest}\""), false),
    ] {
        let body = format!(r#"{{"errors":[{{"code":"{code}","detail":{detail}}}]}}"#);
        let rejection = Rejection::read(404, &HeaderMap::new(), body.as_bytes());
        assert_eq!(rejection.missing_blob(), found.then_some(digest), "{body}");
    }
    let body =
        format!(r#"{{"errors":[{{"code":"BLOB_UNKNOWN","message":"no [{digest}] here"}}]}}"#);
    let rejection = Rejection::read(400, &HeaderMap::new(), body.as_bytes());
    assert_eq!(rejection.missing_blob(), Some(digest));
}

#[test]
fn anything_else_degrades_to_its_text() {
    let page = headers(&[("content-type", "text/HTML; charset=utf-8")]);
    for (headers, body, message) in [
        (HeaderMap::new(), &b"upstream down"[..], ": upstream down"),
        (HeaderMap::new(), b"\xff", ": \u{fffd}"),
        (HeaderMap::new(), b"", ""),
        (page, b"<html>", ": a web page, not a registry's answer"),
    ] {
        let rejection = Rejection::read(503, &headers, body);
        assert_eq!(
            rejection.to_string(),
            format!("the registry is overloaded or under maintenance (503){message}")
        );
    }
}

/// Security row A24.
#[test]
fn only_what_is_for_people_is_shown_of_other_documents() {
    let shown = |body: &str| {
        let rejection = Rejection::read(403, &HeaderMap::new(), body.as_bytes());
        rejection.to_string()
    };
    assert_eq!(
        shown(r#"{"error":"invalid_grant","token":"canary"}"#),
        "access is denied (403): invalid_grant"
    );
    assert_eq!(shown(r#"{"token":"canary"}"#), "access is denied (403)");
    assert_eq!(shown(r#"["canary"]"#), "access is denied (403)");
    assert_eq!(shown("go away"), "access is denied (403): go away");
}

/// Quirk Q42.
#[test]
fn retry_after_is_read_in_both_forms() {
    let seconds = headers(&[("retry-after", "7")]);
    assert_eq!(retry_after(&seconds), Some(Duration::from_secs(7)));
    let date = headers(&[
        ("date", "Tue, 24 Nov 2026 06:00:00 GMT"),
        ("retry-after", "Tue, 24 Nov 2026 06:00:30 GMT"),
    ]);
    assert_eq!(retry_after(&date), Some(Duration::from_secs(30)));
    for odd in ["880\u{b5}s", "-1", "soon", ""] {
        assert_eq!(
            retry_after(&headers(&[("retry-after", odd)])),
            None,
            "{odd}"
        );
    }
}
