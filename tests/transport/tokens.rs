//! Tokens and clocks.

use std::time::Duration;

use modelctl::store::Storage;

use crate::support::scripted::{Reply, Scripted};
use crate::support::tokens::{BLOB, blob, guarded, user};
use crate::support::transport::{read, with};

/// A token server whose clock is anywhere.
fn tokens(document: &'static str) -> Scripted {
    Scripted::start(move |_| Some(Reply::new(200, document)))
}

/// Security row Q47: a token that is over by our clock, or not yet good, is good for as long as it
/// says from now on.
#[tokio::test]
async fn q47_only_the_length_of_a_tokens_life_counts() {
    for document in [
        r#"{"token":"T","expires_in":300,"issued_at":"1999-01-01T00:00:00Z"}"#,
        r#"{"token":"T","expires_in":300,"issued_at":"2999-01-01T00:00:00Z"}"#,
        r#"{"token":"T","expires_in":300,"issued_at":"0001-01-01T00:00:00Z"}"#,
        r#"{"token":"T","expires_in":300,"issued_at":"yesterday"}"#,
    ] {
        let tokens = tokens(document);
        let registry = guarded(&tokens.url(), |_, sent| sent == "Bearer T");
        let repository = with(user(&registry), &registry);
        for _ in 0..3 {
            assert_eq!(read(&repository, &blob()).await.unwrap(), BLOB);
        }
        assert_eq!(tokens.log().len(), 1, "{document}");
    }
}

/// Security row Q47: and when that time is over, another one is asked for before it is used. The
/// time is that of a clock which nobody sets.
#[tokio::test(start_paused = true)]
async fn q47_token_is_renewed_when_its_time_is_over() {
    // While such a task runs, the clock does not run ahead by itself.
    let (done, held) = std::sync::mpsc::channel::<()>();
    let holding = tokio::task::spawn_blocking(move || held.recv());
    let tokens = tokens(r#"{"token":"T","expires_in":300,"issued_at":"2999-01-01T00:00:00Z"}"#);
    let registry = guarded(&tokens.url(), |_, sent| sent == "Bearer T");
    let repository = with(user(&registry), &registry);
    for (passed, asked) in [(0, 1), (290, 1), (20, 2), (200, 2)] {
        tokio::time::advance(Duration::from_secs(passed)).await;
        assert!(repository.exists(&blob()).await.unwrap());
        assert_eq!(tokens.log().len(), asked, "{passed}");
    }
    // The registry never saw one that it did not accept, but for the first request without any.
    assert_eq!(registry.log().len(), 5);
    done.send(()).unwrap();
    holding.await.unwrap().unwrap();
}
