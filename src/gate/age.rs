//! When an attestation was made, as its signer states it: nobody else has seen it made.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Code;
use super::report::rfc3339;
use crate::trust::Statement;

/// How far the clocks of two machines may be apart.
const SKEW: Duration = Duration::from_secs(60);

/// Where predicates say when what they are about was over: the prefix of their type, and a JSON pointer.
const DATES: [(&str, &str); 9] = [
    (
        "https://in-toto.io/attestation/test-result/",
        "/urn:modelctl:smoke-test:v1/startedOn",
    ),
    (
        "https://slsa.dev/provenance/v1",
        "/runDetails/metadata/finishedOn",
    ),
    (
        "https://slsa.dev/provenance/v0.",
        "/metadata/buildFinishedOn",
    ),
    ("https://slsa.dev/verification_summary/", "/timeVerified"),
    (
        "https://cosign.sigstore.dev/attestation/vuln/",
        "/metadata/scanFinishedOn",
    ),
    ("https://cosign.sigstore.dev/attestation/v1", "/Timestamp"),
    ("https://spdx.dev/Document", "/creationInfo/created"),
    ("https://cyclonedx.org/bom", "/metadata/timestamp"),
    ("https://openvex.dev/ns", "/timestamp"),
];

/// The date in a verified statement, if its predicate is of a kind that has one.
pub(super) fn made(statement: &Statement) -> Option<SystemTime> {
    let kind = &statement.predicate_type;
    let (_, pointer) = DATES.iter().find(|(prefix, _)| kind.starts_with(prefix))?;
    let date = statement
        .predicate
        .pointer(pointer)
        .and_then(Value::as_str)?;
    humantime::parse_rfc3339(date).ok()
}

/// Whether something made then is young enough now: what is wrong with it, and in which words.
pub(super) fn judge(
    made: Option<SystemTime>,
    max_age: Option<Duration>,
    now: SystemTime,
) -> Result<(), (Code, String)> {
    let Some(made) = made else {
        return match max_age {
            None => Ok(()),
            Some(_) => Err((
                Code::Unchecked,
                "it does not say when it was made".to_owned(),
            )),
        };
    };
    let date = rfc3339(made);
    match now.duration_since(made) {
        Err(ahead) if ahead.duration() > SKEW => Err((
            Code::Future,
            format!("it says that it was made in the future, at {date}"),
        )),
        Ok(age) if max_age.is_some_and(|max_age| age > max_age) => {
            let (age, limit) = (whole(age), whole(max_age.unwrap_or_default()));
            let message = format!("it was made {age} ago, at {date}, and may be {limit} old");
            Err((Code::TooOld, message))
        }
        _ => Ok(()),
    }
}

/// A duration in whole days, or what is less than one to the second.
fn whole(duration: Duration) -> String {
    const DAY: u64 = 86_400;
    match duration.as_secs() {
        seconds @ ..DAY => humantime::format_duration(Duration::from_secs(seconds)).to_string(),
        seconds if seconds < 2 * DAY => "1 day".to_owned(),
        seconds => format!("{} days", seconds / DAY),
    }
}
