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
    (OK, "done"),
    (FAILED, "failed"),
    (USAGE, "wrong usage"),
    (NOT_FOUND, "not found"),
    (DENIED, "denied"),
    (MISMATCH, "verification failed"),
    (UNAVAILABLE, "unavailable, after retries"),
    (INCONCLUSIVE, "inconclusive"),
    (DIFFERS, "differs"),
    (INTERRUPTED, "interrupted"),
    (TERMINATED, "terminated"),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the README's table: each code with its meaning.
    fn readme_rows() -> Vec<(u8, String)> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().skip_while(|line| *line != "### Exit codes");
        let rows = lines.take_while(|line| *line != "### Registries");
        let cells = rows.filter_map(|row| row.strip_prefix("| ")?.split_once(" | "));
        let each = cells.flat_map(|(codes, meanings)| {
            let meanings = meanings.trim_end_matches(" |").split(" / ");
            let codes = codes.split(" / ").map(|code| code.parse().ok());
            let pairs = codes.zip(meanings.map(str::to_owned));
            pairs.collect::<Vec<_>>()
        });
        each.filter_map(|(code, meaning)| Some((code?, meaning)))
            .collect()
    }

    #[test]
    fn readme_lists_every_code() {
        let rows = readme_rows();
        assert_eq!(rows.len(), TABLE.len());
        for ((code, meaning), (row_code, row_meaning)) in TABLE.iter().zip(&rows) {
            assert_eq!(code, row_code);
            assert!(row_meaning.starts_with(meaning), "{code}: {row_meaning}");
        }
    }
}
