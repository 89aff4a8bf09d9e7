//! Exit codes: what a script learns from `$?`. The README has the same table; a test compares.

use modelctl::ErrorKind;

/// Done.
pub(crate) const OK: u8 = 0;
/// Failed for a reason that has no code of its own.
pub(crate) const FAILED: u8 = 1;
/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;
/// What was named does not exist.
pub(crate) const NOT_FOUND: u8 = 3;
/// Credentials are missing or not enough.
pub(crate) const DENIED: u8 = 4;
/// Verification failed: content is not what was promised.
pub(crate) const MISMATCH: u8 = 5;
/// The remote side is unavailable, after retries.
pub(crate) const UNAVAILABLE: u8 = 6;
/// Inconclusive: it could not be checked.
pub(crate) const INCONCLUSIVE: u8 = 7;
/// Two things compared are different (`--exit-code`).
pub(crate) const DIFFERS: u8 = 8;
/// Interrupted by SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;
/// Interrupted by SIGTERM.
pub(crate) const TERMINATED: u8 = 143;

/// Every code with what it means, as help texts and the README list them.
pub(crate) const TABLE: [(u8, &str); 11] = [
    (OK, "ok"),
    (FAILED, "failed"),
    (USAGE, "usage"),
    (NOT_FOUND, "not found"),
    (DENIED, "denied"),
    (MISMATCH, "verification failed"),
    (UNAVAILABLE, "unavailable after retries"),
    (INCONCLUSIVE, "inconclusive"),
    (DIFFERS, "differs"),
    (INTERRUPTED, "interrupted (SIGINT)"),
    (TERMINATED, "interrupted (SIGTERM)"),
];

/// The code for a kind of error.
pub(crate) fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Usage => USAGE,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::Denied => DENIED,
        ErrorKind::Mismatch => MISMATCH,
        ErrorKind::Unavailable => UNAVAILABLE,
        ErrorKind::Inconclusive => INCONCLUSIVE,
        _ => FAILED,
    }
}

/// The table as a help text shows it.
pub(crate) fn help() -> String {
    let lines = TABLE.map(|(code, meaning)| format!("  {code:<3}  {meaning}"));
    format!("Exit codes:\n{}", lines.join("\n"))
}
