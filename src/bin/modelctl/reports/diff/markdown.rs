//! A difference as GitHub-flavoured Markdown, for a comment: the verdict, a summary, and the tables.
//!
//! What models say stands in code, where nobody is mentioned, nothing is linked and no HTML is read.

use std::fmt;

use super::sections::{self, Cell, Section};
use super::text::short;
use super::{Compared, DiffReport, upgrade};

/// Tables that are longer are folded.
const OPEN_ROWS: usize = 10;

pub(super) fn write(report: &DiffReport, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let difference = &report.difference;
    writeln!(f, "### {}\n", report.verdict())?;
    if let Some(remark) = report.remark() {
        writeln!(f, "{remark}\n")?;
    }
    let sections = sections::of(difference);
    writeln!(f, "| | |\n|---|---|")?;
    for (side, compared) in [("A", &report.a), ("B", &report.b)] {
        let Compared { name, digest } = compared;
        let digest = digest.map_or(String::new(), |digest| {
            format!(" {}", code(&digest.to_string()))
        });
        writeln!(f, "| {side} | {}{digest} |", code(name))?;
    }
    for section in &sections {
        writeln!(f, "| {} | {} |", section.title, section.summary)?;
    }
    if let Some(moves) = difference.upgrade.filter(|_| difference.differs) {
        writeln!(f, "| upgrade | {} |", upgrade(&moves))?;
    }
    sections
        .iter()
        .try_for_each(|section| write_section(section, f))
}

fn write_section(section: &Section, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let folded = section.rows.len() > OPEN_ROWS;
    let Section { title, summary, .. } = section;
    match folded {
        true => writeln!(f, "\n<details><summary>{title}: {summary}</summary>\n")?,
        false => writeln!(f, "\n**{title}**\n")?,
    }
    writeln!(f, "| {} |", section.head.join(" | "))?;
    writeln!(f, "|{}", "---|".repeat(section.head.len()))?;
    for row in &section.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Word(text) => text.clone(),
            Cell::Name(text) => code(text),
        });
        writeln!(f, "| {} |", cells.collect::<Vec<_>>().join(" | "))?;
    }
    if section.more > 0 {
        writeln!(f, "\n… and {} more", section.more)?;
    }
    match folded {
        true => writeln!(f, "\n</details>"),
        false => Ok(()),
    }
}

/// Untrusted text as code, in its line. A code span cannot hold what ends it or a cell, nor anything
/// that a backslash changes: then it is an element, whose punctuation is written as entities.
fn code(text: &str) -> String {
    let text = short(text);
    let is_plain = !text.contains(['`', '|', '\\']) && text.trim() == text && !text.is_empty();
    if is_plain {
        return format!("`{text}`");
    }
    let safe = text.chars().fold(String::new(), |mut safe, c| {
        match c.is_ascii_punctuation() {
            true => safe += &format!("&#{};", u32::from(c)),
            false => safe.push(c),
        }
        safe
    });
    format!("<code>{safe}</code>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_code_in_one_cell() {
        for (name, shown) in [
            ("layer.0/weight", "`layer.0/weight`"),
            ("<img src=x>@user #1", "`<img src=x>@user #1`"),
            ("a|b", "<code>a&#124;b</code>"),
            ("a\\", "<code>a&#92;</code>"),
            ("`x`", "<code>&#96;x&#96;</code>"),
            ("`</code>", "<code>&#96;&#60;&#47;code&#62;</code>"),
            ("a\n| b", "<code>a&#92;u&#123;a&#125;&#124; b</code>"),
            ("\u{202e}x", "<code>&#92;u&#123;202e&#125;x</code>"),
            (" a", "<code> a</code>"),
            ("", "<code></code>"),
        ] {
            assert_eq!(code(name), shown, "{name:?}");
        }
        assert_eq!(code(&"x".repeat(5000)).chars().count(), 203);
    }
}
