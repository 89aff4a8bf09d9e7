//! The two kinds of range in the protocol: `Range` of a download (RFC 9110, section 14.2) and
//! `Content-Range` of an upload's chunk (distribution-spec, "Pushing a blob in chunks").

use std::ops::Range;

/// What a `Range` header asks of content with a known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Everything: there is no range, or one that may be ignored (several, another unit).
    Whole,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Nothing that is there: 416.
    Unsatisfiable,
}

/// Reads a `Range` header for content of `size` bytes.
pub(crate) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(set) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = set.trim().split_once('-') else {
        return Wanted::Whole;
    };
    let range = match (position(first), position(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(length)) if first.is_empty() => size.saturating_sub(length)..size,
        (Some(_), Some(_)) => return Wanted::Unsatisfiable,
        _ => return Wanted::Whole,
    };
    if range.is_empty() {
        Wanted::Unsatisfiable
    } else {
        Wanted::Part(range)
    }
}

/// Reads the `Content-Range` of a chunk, `first-last`, both inclusive and without a unit.
pub(crate) fn chunk(header: &str) -> Option<Range<u64>> {
    let (first, last) = header.split_once('-')?;
    let (first, last) = (position(first)?, position(last)?);
    (first <= last).then_some(first..last.checked_add(1)?)
}

/// Digits only: `u64::from_str` would take a `+`.
fn position(text: &str) -> Option<u64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn download_ranges_follow_rfc_9110() {
        for (header, expected) in [
            (None, Wanted::Whole),
            (Some("bytes=0-0"), Wanted::Part(0..1)),
            (Some("bytes=2-5"), Wanted::Part(2..6)),
            (Some("bytes=2-"), Wanted::Part(2..10)),
            (Some("bytes=2-500"), Wanted::Part(2..10)),
            (Some("bytes=2-18446744073709551615"), Wanted::Part(2..10)),
            (Some("bytes=-3"), Wanted::Part(7..10)),
            (Some("bytes=-30"), Wanted::Part(0..10)),
            (Some("bytes=10-"), Wanted::Unsatisfiable),
            (Some("bytes=10-11"), Wanted::Unsatisfiable),
            (Some("bytes=5-2"), Wanted::Unsatisfiable),
            (Some("bytes=-0"), Wanted::Unsatisfiable),
            (Some("bytes=-"), Wanted::Whole),
            (Some("bytes=+1-2"), Wanted::Whole),
            (Some("bytes=1-2,4-5"), Wanted::Whole),
            (Some("bytes=99999999999999999999-"), Wanted::Whole),
            (Some("lines=1-2"), Wanted::Whole),
        ] {
            assert_eq!(wanted(header, 10), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn chunk_ranges_have_no_unit() {
        assert_eq!(chunk("0-0"), Some(0..1));
        assert_eq!(chunk("10-19"), Some(10..20));
        for header in [
            "",
            "-",
            "1-",
            "-1",
            "2-1",
            "bytes 0-1",
            "0-1/2",
            "0 - 1",
            "0-18446744073709551615",
        ] {
            assert_eq!(chunk(header), None, "{header:?}");
        }
    }
}
