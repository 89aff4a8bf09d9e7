//! The block of a PEM file that holds a key (RFC 7468).
//!
//! OpenSSL writes text and `EC PARAMETERS` in front of one, and Windows ends lines otherwise: the
//! first block that is asked for counts, whatever stands around it.

use p256::pkcs8::der::pem;
use zeroize::Zeroizing;

use super::KeyError;

/// The largest file that is looked at, in bytes: a key has some hundred.
const MAX_SIZE: usize = 64 * 1024;

/// A decoded block.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) content: Zeroizing<Vec<u8>>,
}

/// Decodes the first block whose label is one of these; else names the first that is there.
pub(super) fn decode(
    file: &[u8],
    labels: &[&str],
    expected: &'static str,
) -> Result<Block, KeyError> {
    if file.len() > MAX_SIZE {
        return Err(KeyError::NotPem);
    }
    let text = std::str::from_utf8(file).map_err(|_| KeyError::NotPem)?;
    let mut first = None;
    for (at, _) in text.match_indices("-----BEGIN ") {
        let block = cut(&text[at..]).ok_or(KeyError::NotPem)?;
        let label = block[11..].split("-----").next().unwrap_or_default();
        if labels.contains(&label) {
            return decode_block(label, block);
        }
        first.get_or_insert_with(|| label.to_owned());
    }
    Err(match first {
        Some(found) => KeyError::Label { found, expected },
        None => KeyError::NotPem,
    })
}

/// The block that a text begins with, up to its last line.
fn cut(text: &str) -> Option<&str> {
    let end = text.find("-----END ")?;
    let rest = text[end + 9..].find("-----")?;
    Some(&text[..end + 9 + rest + 5])
}

fn decode_block(label: &str, block: &str) -> Result<Block, KeyError> {
    if block.contains("Proc-Type:") {
        return Err(KeyError::ForeignEncryption);
    }
    let malformed = |_| KeyError::Malformed("its Base64 or its lines are not as RFC 7468 says");
    let width = pem::Decoder::new_detect_wrap(block.as_bytes());
    let mut decoder = width.map_err(malformed)?;
    let mut content = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
    decoder.decode_to_end(&mut content).map_err(malformed)?;
    Ok(Block {
        label: label.to_owned(),
        content,
    })
}

/// Encodes a block with lines of 64 characters, as Go and OpenSSL do.
pub(super) fn encode(label: &str, content: &[u8]) -> String {
    pem::encode_string(label, pem::LineEnding::LF, content).expect("the label is a constant")
}
