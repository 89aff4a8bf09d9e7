use reqwest::Method;
use reqwest::header::HeaderMap;
use url::Url;

use super::*;
use crate::transport::failure::{Rejection, RequestLine};

fn rejected(status: u16, retry_after: Option<&str>) -> TransportError {
    let mut headers = HeaderMap::new();
    if let Some(text) = retry_after {
        headers.insert("retry-after", text.parse().unwrap());
    }
    TransportError::Rejected {
        request: RequestLine::new(&Method::GET, &Url::parse("https://h/v2/").unwrap()),
        rejection: Box::new(Rejection::read(status, &headers, b"")),
        effort: Effort::default(),
    }
}

fn options() -> RetryOptions {
    RetryOptions {
        seed: Some(1),
        ..RetryOptions::default()
    }
}

/// Fails with the same answer until the budget is spent; says what was waited, and the error.
async fn exhaust(options: RetryOptions, status: u16, asked: Option<&str>) -> (Duration, String) {
    let started = Instant::now();
    let mut attempts = Attempts::new(options);
    loop {
        if let Err(error) = attempts.pause(rejected(status, asked)).await {
            return (started.elapsed(), error.to_string());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tries_are_counted_and_told() {
    let (waited, message) = exhaust(options(), 503, None).await;
    // Pauses of at most 0.5, 1, 2 and 4 s, at least half of it each.
    assert!(waited >= Duration::from_millis(3750) && waited <= Duration::from_millis(7510));
    let start = "`GET https://h/v2/` failed: the registry is overloaded or under maintenance (503) (5 tries in ";
    assert!(message.starts_with(start), "{message}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_transient_is_tried_once() {
    for status in [400, 401, 403, 404, 413, 501] {
        let (waited, message) = exhaust(options(), status, None).await;
        assert_eq!(waited, Duration::ZERO);
        assert!(!message.contains("tries"), "{message}");
    }
}

/// Security row Q42.
#[tokio::test(start_paused = true)]
async fn q42_server_is_given_the_time_it_asks_for() {
    let once = RetryOptions {
        tries: 2,
        ..options()
    };
    let (waited, _) = exhaust(once, 429, Some("30")).await;
    assert!(waited >= Duration::from_secs(30) && waited < Duration::from_secs(32));
}

/// Security row Q42.
#[tokio::test(start_paused = true)]
async fn q42_server_that_asks_for_hours_is_not_waited_for() {
    let (waited, message) = exhaust(options(), 429, Some("21600")).await;
    assert_eq!(waited, Duration::ZERO);
    let start = "`GET https://h/v2/` failed: rate limited (429); retry after ";
    assert!(message.starts_with(start), "{message}");
}

#[tokio::test(start_paused = true)]
async fn patience_ends_before_the_tries_do() {
    let short = RetryOptions {
        patience: Duration::from_secs(2),
        tries: 100,
        ..options()
    };
    let (waited, _) = exhaust(short, 500, None).await;
    assert!(waited <= Duration::from_secs(2), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn progress_renews_the_budget() {
    let twice = RetryOptions {
        tries: 2,
        ..options()
    };
    let mut attempts = Attempts::new(twice);
    for _ in 0..10 {
        attempts.pause(rejected(500, None)).await.unwrap();
        attempts.renew();
    }
}

#[test]
fn jitter_differs_between_seeds_and_not_between_runs() {
    let pauses = |seed| {
        let mut jitter = Jitter::new(Some(seed));
        [(); 3].map(|()| jitter.halved(Duration::from_secs(10)))
    };
    assert_eq!(pauses(1), pauses(1));
    assert_ne!(pauses(1), pauses(2));
    for pause in pauses(3) {
        assert!(pause >= Duration::from_secs(5) && pause <= Duration::from_secs(10));
    }
}
