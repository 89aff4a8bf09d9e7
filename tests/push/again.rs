//! A push of what the registry has already: its manifest is asked for, and nothing below it.

use std::thread::sleep;
use std::time::Duration;

use modelctl::pack::{self, PackOptions};
use modelctl::store::Memory;
use modelctl::transfer::{CopyOptions, CopyReport, copy};

use crate::support::env::Env;
use crate::support::parts::Parts;
use crate::support::plans::{plan, write};
use crate::support::scripted::Scripted;
use crate::support::transport::anonymous;

/// The requests of a push from the store, and its report.
async fn pushed(server: &Scripted, parts: &Parts) -> (Vec<String>, CopyReport) {
    let source = Memory::new();
    parts.push(&source).await;
    let before = server.log().len();
    let options = CopyOptions {
        referrers: true,
        ..CopyOptions::default()
    };
    let (sink, document) = (anonymous(server), parts.document());
    let report = copy(&source, &sink, &document, &options).await.unwrap();
    (server.lines().split_off(before), report)
}

#[tokio::test]
async fn manifest_that_is_there_is_the_only_question() {
    let server = Scripted::honest();
    let parts = Parts::new(&[b"weights", b"more weights"]);
    let (first, report) = pushed(&server, &parts).await;
    assert_eq!((report.copied, report.skipped), (4, 0));
    assert!(first.len() > 4, "{first:?}");
    let of_manifest = first.iter().filter(|line| line.contains("/manifests/"));
    assert_eq!(
        of_manifest.count(),
        2,
        "asked for once, pushed once: {first:?}"
    );
    let (second, report) = pushed(&server, &parts).await;
    assert_eq!((report.copied, report.skipped), (0, 4));
    let head = format!("HEAD /v2/m/manifests/{}", parts.root().digest);
    assert_eq!(second, [head]);
}

/// What refers to another manifest is found only once it was pushed: it is never passed over.
#[tokio::test]
async fn manifest_with_a_subject_is_pushed_again() {
    let server = Scripted::honest();
    let subject = Parts::new(&[b"weights"]);
    pushed(&server, &subject).await;
    let referrer = Parts::with_subject(&[b"signature"], Some(subject.root()));
    for _ in 0..2 {
        let (lines, _) = pushed(&server, &referrer).await;
        let put = format!("PUT /v2/m/manifests/{}", referrer.root().digest);
        assert!(lines.contains(&put), "{lines:?}");
    }
}

/// The same where a plan is stored.
#[tokio::test]
async fn stored_plan_asks_for_its_manifest_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("labels.txt", b"cat\ndog\n".to_vec())]);
    let path = folder.path().to_owned();
    let plan = tokio::task::spawn_blocking(move || plan(&path)).await;
    let (plan, server) = (plan.unwrap(), Scripted::honest());
    let (sink, options) = (anonymous(&server), PackOptions::default());
    pack::store(&plan, &sink, &options).await.unwrap();
    let lines = server.lines();
    let of_manifest = lines.iter().filter(|line| line.contains("/manifests/"));
    assert_eq!(of_manifest.count(), 2, "{lines:?}");
}

#[test]
fn unchanged_files_cost_one_question_unless_no_cache_is_used() {
    let env = Env::new();
    env.write("mlp/weights.bin", [7; 100_000]);
    env.write("mlp/labels.txt", "cat\n");
    let server = Scripted::honest();
    let reference = format!("{}/m:v1", server.address);
    // Younger files are not remembered: they could change within the same tick of the clock.
    sleep(Duration::from_millis(3100));
    let push = |more: &[&str]| {
        let before = server.log().len();
        env.run(&[&["push", "./mlp", &reference, "-q"], more].concat())
            .ok();
        server.lines().split_off(before)
    };
    push(&[]);
    let of_blobs = |lines: &[String]| lines.iter().filter(|line| line.contains("/blobs/")).count();
    let again = push(&[]);
    assert_eq!(of_blobs(&again), 0, "{again:?}");
    assert!(again.len() <= 3, "{again:?}");
    let asked = push(&["--no-cache"]);
    assert_eq!(of_blobs(&asked), 4, "{asked:?}");
}
