//! What registries say beside their answers.

use modelctl::oci::Descriptor;

use crate::support::downloads::{BLOB, answering, blob};
use crate::support::log::Log;
use crate::support::scripted::{Reply, Scripted};
use crate::support::transport::{anonymous, read};

fn warnings(log: &Log) -> Vec<String> {
    let text = log.text();
    let lines = text.lines().filter(|line| line.contains(" WARN "));
    lines
        .map(|line| {
            line.split_once("the registry warns: ")
                .unwrap()
                .1
                .to_owned()
        })
        .collect()
}

/// Security row Q46: warnings are passed on, each once for a client, without what would rewrite the
/// screen; what is no warning is not.
#[tokio::test]
async fn q46_warnings_are_shown_once_and_cleaned() {
    let log = Log::default();
    let _listening = log.listen();
    let warned = |texts: &[&str]| {
        let reply = Reply::new(200, BLOB);
        texts
            .iter()
            .fold(reply, |reply, text| reply.with("Warning", *text))
    };
    let server = answering(
        vec![
            warned(&["299 - \"tidy up\"", "299 - \"by\u{9b}2J \u{202e}Friday\""]),
            warned(&[
                "299 - \"tidy up\"",
                "199 - \"other code\"",
                "299 me \"other agent\"",
            ]),
            warned(&["299 - \"last\""]),
        ],
        BLOB,
    );
    let repository = anonymous(&server);
    for _ in 0..3 {
        assert_eq!(read(&repository, &blob()).await.unwrap(), BLOB);
    }
    assert_eq!(
        warnings(&log),
        ["\"tidy up\"", "\"by 2J Friday\"", "\"last\""]
    );
}

/// Security row Q46: a registry that does not stop to warn.
#[tokio::test]
async fn q46_flood_of_warnings_ends() {
    let log = Log::default();
    let _listening = log.listen();
    let server = Scripted::start(|_| {
        let flood = |reply: Reply, at| reply.with("Warning", format!("299 - \"{at}\""));
        Some((0..60).fold(Reply::new(200, BLOB), flood))
    });
    read(&anonymous(&server), &blob()).await.unwrap();
    assert_eq!(warnings(&log).len(), 32);
}

/// Security row Q46: the words of an error are a server's words, too.
#[tokio::test]
async fn q46_errors_words_cannot_rewrite_the_screen() {
    for body in [
        "gone\u{1b}]0;title\u{7}\r\n\u{1b}[2Kok",
        r#"{"errors":[{"code":"DENIED","message":"\u001b[31mred\u009b0m\r\nand\u202e back"}]}"#,
    ] {
        let server = Scripted::start(move |_| Some(Reply::new(403, body)));
        let missing = Descriptor::of("a/b", b"x");
        let error = read(&anonymous(&server), &missing).await.unwrap_err();
        let text = error.to_string();
        assert!(
            !text.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{text:?}"
        );
        assert!(text.contains(" (403): "), "{text}");
    }
}
