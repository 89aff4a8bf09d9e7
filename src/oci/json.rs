//! Strict JSON for documents that decide what is trusted.
//!
//! bytes → a typed value, or one clear error. On top of what `serde_json` refuses (trailing data,
//! lone surrogates, a byte order mark, more than 128 levels), a name that occurs twice in an object
//! is refused anywhere in the document: two parsers may pick different ones (RFC 7493, section 2.3).

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

/// Why a document was refused.
#[derive(Debug, thiserror::Error)]
#[error("not valid JSON: {0}")]
pub struct JsonError(String);

/// Parses a document, refusing duplicate names at every depth.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let mut checker = serde_json::Deserializer::from_slice(bytes);
    UniqueNames
        .deserialize(&mut checker)
        .map_err(|error| JsonError(error.to_string()))?;
    checker
        .end()
        .map_err(|error| JsonError(error.to_string()))?;
    serde_json::from_slice(bytes).map_err(|error| JsonError(error.to_string()))
}

/// Walks a document without building it.
struct UniqueNames;

impl<'de> DeserializeSeed<'de> for UniqueNames {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueNames {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(UniqueNames)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if seen.contains(&name) {
                return Err(A::Error::custom(format!("duplicate member {name:?}")));
            }
            members.next_value_seed(UniqueNames)?;
            seen.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<serde_json::Value, JsonError> {
        from_slice(text.as_bytes())
    }

    #[test]
    fn ordinary_documents_pass() {
        for text in [
            "{}",
            "[1,2.5,-3,null,true,\"x\"]",
            r#"{"a":{"b":[{"c":1},{"c":2}]}}"#,
        ] {
            parse(text).unwrap();
        }
    }

    #[test]
    fn duplicates_trailing_data_and_depth_are_refused() {
        let deep = "[".repeat(100_000);
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"x":{"a":1,"\u0061":2}}"#,
            "{} {}",
            "\u{feff}{}",
            r#""\ud800""#,
            "",
            deep.as_str(),
        ] {
            assert!(parse(text).is_err(), "{:.40} was accepted", text);
        }
    }
}
