//! The report as a person reads it, in a pull request or a release page.

use std::fmt::{self, Display, Write as _};

use serde_json::Value;

use super::{Outcome, Report, Verdict};

/// How much of a value of the evidence is shown, in characters; the JSON has all of it.
const SHOWN: usize = 300;

impl Report {
    /// Writes it as Markdown: the verdict, then a table of the checks, then what they found. Text that
    /// comes from artifacts is escaped: it can neither be markup nor end a cell.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("a string grows");
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Allowed => "✅ May be deployed",
            Verdict::Refused => "❌ May not be deployed",
            Verdict::Inconclusive => "❓ May not be deployed: it could not be decided",
            Verdict::Unavailable => "⏳ May not be deployed: the registry is away",
        };
        writeln!(text, "# {verdict}\n")?;
        writeln!(text, "| | |\n|---|---|")?;
        writeln!(text, "| Name | {} |", Cell(&self.name))?;
        if let Some(digest) = &self.digest {
            writeln!(text, "| Digest | `{digest}` |")?;
        }
        if let Some(rule) = self.rule {
            writeln!(text, "| Rule of the policy | {rule} |")?;
        }
        writeln!(text, "| Time | {} |", Cell(&self.time))?;
        writeln!(text, "\n| Check | Result | Found |\n|---|---|---|")?;
        for check in &self.checks {
            let outcome = match check.outcome {
                Outcome::Pass => "✅ pass",
                Outcome::Fail => "❌ fail",
                Outcome::Inconclusive => "❓ inconclusive",
                Outcome::Skipped => "➖ skipped",
                Outcome::NotDone => "➖ not done",
            };
            let id = check.id.as_str();
            writeln!(text, "| {id} | {outcome} | {} |", Cell(&check.message))?;
        }
        self.evidence(text)
    }

    fn evidence(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "\n<details><summary>Evidence</summary>\n")?;
        writeln!(text, "| Check | What | Value |\n|---|---|---|")?;
        for check in &self.checks {
            for (name, value) in check.evidence.iter().filter(|(_, value)| !value.is_null()) {
                let id = check.id.as_str();
                let shown = match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                writeln!(text, "| {id} | {name} | {} |", Cell(&excerpt(&shown)))?;
            }
        }
        writeln!(text, "\n</details>")
    }
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Text within a cell of a table.
struct Cell<'a>(&'a str);

impl Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                // A link of its own accord, a mention, an issue: none of them is meant.
                ':' | '@' | '#' => write!(f, "&#{};", u32::from(character))?,
                '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '!' | '~'
                | '$' => {
                    write!(f, "&#{};", u32::from(character))?;
                }
                other if other.is_control() || reorders(other) => {
                    write!(
                        f,
                        "{}",
                        other
                            .escape_unicode()
                            .to_string()
                            .replace(['{', '}', '\\'], ".")
                    )?;
                }
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Whether a character changes the direction of text (CVE-2021-42574).
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_neither_markup_nor_a_cell() {
        let hostile = "a|b\n| x |<script>`*_[x](https://e.example)@user #1\u{202e}\\";
        let cell = Cell(hostile).to_string();
        for forbidden in [
            '|', '\n', '<', '>', '`', '*', '_', '[', ']', '(', ')', '\\', '\u{202e}', '@', ':',
        ] {
            assert!(!cell.contains(forbidden), "{forbidden:?} in {cell}");
        }
        assert_eq!(Cell("ai.onnx").to_string(), "ai.onnx");
    }
}
