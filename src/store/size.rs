//! Amounts of disk space: as errors show them, and as people write them.

use std::fmt;
use std::str::FromStr;

/// A number of bytes, in the units in which disks are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

/// A text that is no number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a size such as 500MB or 2GiB")]
pub struct SizeError;

impl FromStr for Size {
    type Err = SizeError;

    /// Reads `500`, `500MB` and `500M` in decimal units, `2GiB` and `2Gi` in binary ones.
    fn from_str(text: &str) -> Result<Self, SizeError> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        let unit = unit.trim_start().trim_end_matches(['B', 'b']);
        let (prefix, base) = match unit.strip_suffix(['i', 'I']) {
            Some(prefix) => (prefix, 1024_u64),
            None => (unit, 1000),
        };
        let power = match prefix.to_ascii_uppercase().as_str() {
            "" if base == 1000 => 0,
            "K" => 1,
            "M" => 2,
            "G" => 3,
            "T" => 4,
            "P" => 5,
            _ => return Err(SizeError),
        };
        let factor = base.pow(power);
        let bytes = match number.split_once('.') {
            None => number
                .parse::<u64>()
                .ok()
                .and_then(|it| it.checked_mul(factor)),
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a part of a unit is not meant to the byte, and is not negative"
            )]
            Some(_) => number
                .parse::<f64>()
                .ok()
                .map(|it| (it * factor as f64) as u64),
        };
        bytes.map(Self).ok_or(SizeError)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u64); 4] = [
            ("TiB", 1 << 40),
            ("GiB", 1 << 30),
            ("MiB", 1 << 20),
            ("KiB", 1 << 10),
        ];
        match UNITS.into_iter().find(|(_, unit)| self.0 >= *unit) {
            Some((name, unit)) => {
                // Tenths, rounded up: what is said to be missing is enough.
                let tenths = (u128::from(self.0) * 10).div_ceil(u128::from(unit));
                write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
            }
            None => write!(f, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1025, "1.1 KiB"),
            (5 << 29, "2.5 GiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn sizes_are_read_in_both_kinds_of_units() {
        for (text, bytes) in [
            ("0", 0),
            ("500", 500),
            ("500B", 500),
            ("2GiB", 2 << 30),
            ("2Gi", 2 << 30),
            ("2 GB", 2_000_000_000),
            ("1.5k", 1500),
            ("10M", 10_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in [
            "",
            "GB",
            "-1",
            "1i",
            "1XB",
            "1.2.3k",
            "1e3",
            "99999999999999999999",
            "99999P",
        ] {
            assert_eq!(text.parse::<Size>(), Err(SizeError), "{text}");
        }
    }
}
