//! Uploads to registries that limit bodies, chunks or both: security rows Q01, Q02, Q03, Q08, Q18.

use modelctl::ErrorKind;
use modelctl::store::Storage;

use crate::support::env::Env;
use crate::support::scripted::{Reply, Scripted, Seen};
use crate::support::transport::{anonymous, content, message, steps};

const MIB: u64 = 1024 * 1024;

/// A registry that refuses some requests, by status.
fn picky(refuses: impl Fn(&Seen) -> Option<u16> + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |seen| refuses(seen).map(|status| Reply::new(status, "")))
}

#[track_caller]
fn has(server: &Scripted, blob: &modelctl::oci::Descriptor, bytes: &[u8]) {
    let contents = server.contents();
    assert!(contents.blobs[&blob.digest.to_string()] == bytes);
    assert_eq!(contents.uploads.count(), 0, "a session is left open");
}

/// Security row Q01: a PATCH of more than 4 MiB is never needed.
#[tokio::test]
async fn q01_patch_over_4_mib_refused_by_416_is_not_sent() {
    for length in [5 * MIB, 64 * MIB] {
        let server = picky(|seen| (seen.method == "PATCH" && seen.length > 4 * MIB).then_some(416));
        let (blob, bytes) = content(length as usize);
        anonymous(&server).push(&blob, &bytes).await.unwrap();
        assert_eq!(steps(&server), ["POST", "PUT"]);
        has(&server, &blob, &bytes);
    }
}

/// Security row Q01: where the whole is not accepted either, chunks are as short as that.
#[tokio::test]
async fn q01_chunks_are_4_mib_where_longer_ones_are_refused_by_416() {
    let server = picky(|seen| match seen.method.as_str() {
        "PUT" if seen.length > 8 * MIB => Some(413),
        "PATCH" if seen.length > 4 * MIB => Some(416),
        _ => None,
    });
    let (blob, bytes) = content(9 * MIB as usize);
    let repository = anonymous(&server);
    repository.push(&blob, &bytes).await.unwrap();
    let expected = [
        "POST",
        "PUT",
        "DELETE",
        "POST",
        "PATCH 0-8388607",
        "DELETE",
        "POST",
        "PATCH 0-4194303",
        "PATCH 4194304-8388607",
        "PUT 8388608-9437183",
    ];
    assert_eq!(steps(&server), expected);
    has(&server, &blob, &bytes);

    let (next, bytes) = content(6 * MIB as usize);
    repository.push(&next, &bytes).await.unwrap();
    let learnt = ["POST", "PATCH 0-4194303", "PUT 4194304-6291455"];
    assert_eq!(steps(&server)[10..], learnt, "a lesson is paid for once");
}

/// Security row Q02: a registry without chunked upload gets none.
#[tokio::test]
async fn q02_registry_without_chunks_gets_one_put() {
    for status in [404, 405] {
        let server = picky(move |seen| (seen.method == "PATCH").then_some(status));
        let (blob, bytes) = content(20 * MIB as usize);
        anonymous(&server).push(&blob, &bytes).await.unwrap();
        assert_eq!(steps(&server), ["POST", "PUT"]);
        has(&server, &blob, &bytes);
    }
}

/// Security row Q02: where the whole is not accepted either, that is what is said.
#[tokio::test]
async fn q02_registry_without_chunks_behind_a_body_limit_is_told() {
    for status in [404, 405] {
        let server = picky(move |seen| match seen.method.as_str() {
            "PUT" if seen.length > MIB => Some(413),
            "PATCH" => Some(status),
            _ => None,
        });
        let (blob, bytes) = content(2 * MIB as usize);
        let error = anonymous(&server).push(&blob, &bytes).await.unwrap_err();
        let expected = format!(
            "cannot push blob `{}`: the registry, or a proxy before it, takes no body of 2097152 bytes: `PATCH ",
            blob.digest
        );
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let expected = ["POST", "PUT", "DELETE", "POST", "PATCH 0-1048575"];
        assert_eq!(steps(&server), expected);
    }
}

/// Security row Q02: some registries take no empty blob, and none is pushed: neither the config, nor
/// a file without content.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q02_model_with_an_empty_file_goes_to_a_registry_that_refuses_empty_blobs() {
    let server = picky(|seen| (seen.method == "PUT" && seen.length == 0).then_some(400));
    let env = Env::new();
    env.write("model/weights.bin", b"weights");
    env.write("model/empty.txt", b"");
    let reference = format!("{}/m:v1", server.address);
    env.run(&["push", "./model", &reference]).ok();
    let blobs = &server.contents().blobs;
    assert!(blobs.len() > 1 && blobs.values().all(|blob| !blob.is_empty()));
}

/// Security row Q03: chunks are at least as long as the registry says.
#[tokio::test]
async fn q03_chunks_are_as_long_as_the_registry_asks() {
    let server = Scripted::start(|seen| match seen.method.as_str() {
        "POST" => Some(
            Reply::new(202, "")
                .with("Location", "/v2/m/blobs/uploads/u")
                .with("OCI-Chunk-Min-Length", "5242880"),
        ),
        "PUT" if seen.length > 6 * MIB => Some(Reply::new(413, "")),
        "PATCH" => {
            let location = "/v2/m/blobs/uploads/u";
            Some(Reply::new(202, "").with("Location", location))
        }
        "PUT" => Some(Reply::new(201, "")),
        _ => None,
    });
    let (blob, bytes) = content(7 * MIB as usize);
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    let expected = [
        "POST",
        "PUT",
        "DELETE",
        "POST",
        "PATCH 0-5242879",
        "PUT 5242880-7340031",
    ];
    assert_eq!(steps(&server), expected);
}

/// Security row Q08: a proxy's limit is found by halving.
#[tokio::test]
async fn q08_proxy_body_limit_is_met_by_chunks_of_half_the_length() {
    let server = picky(|seen| (seen.length > MIB).then_some(413));
    let (blob, bytes) = content(5_000_000);
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    let expected = [
        "POST",
        "PUT",
        "DELETE",
        "POST",
        "PATCH 0-4194303",
        "DELETE",
        "POST",
        "PATCH 0-2097151",
        "DELETE",
        "POST",
        "PATCH 0-1048575",
        "PATCH 1048576-2097151",
        "PATCH 2097152-3145727",
        "PATCH 3145728-4194303",
        "PUT 4194304-4999999",
    ];
    assert_eq!(steps(&server), expected);
    has(&server, &blob, &bytes);
}

/// Security row Q08: a limit that no chunk meets is told, with the limit.
#[tokio::test]
async fn q08_proxy_body_limit_below_every_chunk_is_told() {
    let server = picky(|seen| (seen.length > 1000).then_some(413));
    let (blob, bytes) = content(2 * MIB as usize);
    let error = anonymous(&server).push(&blob, &bytes).await.unwrap_err();
    assert_eq!(
        message(&error, &[("R", &server)]),
        format!(
            "cannot push blob `{}`: the registry, or a proxy before it, takes no body of 524288 bytes: \
             `PATCH http://R/v2/m/blobs/uploads/u2` failed: \
             larger than the registry, or a proxy before it, accepts (413)",
            blob.digest
        )
    );
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// Security row Q18: lengths around the boundaries, in one piece and in chunks. A blob in one piece
/// carries no `Content-Range`; chunks say both ends inclusively and without a unit.
#[tokio::test]
async fn q18_lengths_around_every_boundary_arrive_whole() {
    let chunk = 512 * 1024;
    for length in [
        0,
        1,
        1023,
        1024,
        chunk - 1,
        chunk,
        chunk + 1,
        2 * chunk,
        2 * chunk + 1,
    ] {
        let (blob, bytes) = content(length);
        let whole = Scripted::honest();
        anonymous(&whole).push(&blob, &bytes).await.unwrap();
        assert_eq!(steps(&whole), ["POST", "PUT"], "{length}");
        let put = &whole.log()[1];
        assert_eq!(
            put.header("content-length"),
            Some(length.to_string().as_str())
        );
        has(&whole, &blob, &bytes);

        let limited = picky(move |seen| (seen.length > chunk as u64).then_some(413));
        anonymous(&limited).push(&blob, &bytes).await.unwrap();
        has(&limited, &blob, &bytes);
        let ranges: Vec<_> = limited
            .log()
            .iter()
            .filter(|seen| seen.length <= chunk as u64)
            .filter_map(|seen| Some(seen.header("content-range")?.to_owned()))
            .collect();
        let parts = length.div_ceil(chunk);
        let expected: Vec<_> = (0..parts)
            .map(|part| format!("{}-{}", part * chunk, length.min((part + 1) * chunk) - 1))
            .collect();
        let expected = if parts > 1 { expected } else { Vec::new() };
        assert_eq!(ranges, expected, "{length}");
    }
}
