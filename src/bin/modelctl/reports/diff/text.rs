//! A difference for a terminal: tables, one below the other.

use std::fmt;

use super::sections::{self, Cell, Section};
use super::{Compared, DiffReport, upgrade};
use crate::output::escape_line;
use crate::text::Table;

/// How many characters of a name are shown: a name may be as long as a manifest.
pub(super) const MAX_NAME: usize = 200;

pub(super) fn write(report: &DiffReport, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut head = Table::default();
    for (side, compared) in [("a", &report.a), ("b", &report.b)] {
        let Compared { name, digest } = compared;
        let digest = digest.map_or(String::new(), |digest| digest.to_string());
        head.row([side.to_owned(), short(name), digest]);
    }
    write!(f, "{head}\n{}", report.verdict())?;
    match report.worst() {
        Some(worst) => writeln!(f, "; first: {}", short(&worst.to_string()))?,
        None => writeln!(f)?,
    }
    if let Some(remark) = report.remark() {
        writeln!(f, "{remark}")?;
    }
    for section in sections::of(&report.difference) {
        write_section(&section, f)?;
    }
    match report
        .difference
        .upgrade
        .filter(|_| report.difference.differs)
    {
        Some(moves) => writeln!(f, "\nupgrade: {}", upgrade(&moves)),
        None => Ok(()),
    }
}

fn write_section(section: &Section, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "\n{}: {}", section.title, section.summary)?;
    let mut table = Table::default();
    table.line(section.head.iter().map(|word| (*word).to_owned()).collect());
    for row in &section.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Word(text) => text.clone(),
            Cell::Name(text) => short(text),
        });
        table.line(cells.collect());
    }
    write!(f, "{table}")?;
    match section.more {
        0 => Ok(()),
        more => writeln!(f, "… and {more} more: --json lists all"),
    }
}

/// Untrusted text in its line, and not too long.
pub(super) fn short(text: &str) -> String {
    let text = match text.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    escape_line(&text)
}
