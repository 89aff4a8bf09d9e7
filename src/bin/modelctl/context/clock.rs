//! The clock, which the library never reads.

use std::time::{Duration, SystemTime};

use super::Context;
use crate::failure::Failure;

/// The variable that dates what is made, of the Reproducible Builds project.
const DATE: &str = "SOURCE_DATE_EPOCH";

impl Context {
    /// The date that was given for what is made, in seconds since 1970. A value that is none ends the
    /// command, as the specification asks.
    pub(crate) fn source_date(&self) -> Result<Option<u64>, Failure> {
        let text = self.environment().text(DATE);
        let parsed = text.map(|text| {
            text.parse().map_err(|_| Failure::Option {
                option: DATE,
                reason: format!("expected seconds since 1970, got `{text}`"),
            })
        });
        parsed.transpose()
    }

    /// When what is done now is done: the date that was given, else the time.
    pub(crate) fn now(&self) -> Result<SystemTime, Failure> {
        let given = self.source_date()?.map(Duration::from_secs);
        let given = given.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        Ok(given.unwrap_or_else(SystemTime::now))
    }
}
