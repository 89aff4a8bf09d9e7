//! Base64 as protobuf's JSON reads it: either alphabet, padded or not; written in the standard one.

use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD_ENGINE: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL_SAFE_ENGINE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Decodes either alphabet; a text that mixes them is refused.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    match text.contains(['-', '_']) {
        true => URL_SAFE_ENGINE.decode(text),
        false => STANDARD_ENGINE.decode(text),
    }
}

/// Encodes in the standard alphabet, padded.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD_ENGINE.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_alphabet_is_read_and_one_is_written() {
        for text in ["+/8=", "-_8=", "+/8", "-_8"] {
            assert_eq!(decode(text).unwrap(), [0xfb, 0xff], "{text}");
        }
        for text in ["+_8=", "+/9=", "+/8==", "é", "+/\n8="] {
            assert!(decode(text).is_err(), "{text:?} was accepted");
        }
        assert_eq!(encode(&[0xfb, 0xff]), "+/8=");
    }
}
