//! What a file is by its content: the first bytes, or a cheap walk over its top-level records.

use super::OnnxError;

use super::wire::ReadAt;
use super::wire::field::{graph, model};
use super::wire::{Message, Record, Span, Value, Wire};

/// As many bytes as a recognition by the beginning needs.
const HEAD: usize = 64;
/// How many records of the graph a probe looks at.
const GRAPH_RECORDS: usize = 64;
/// The largest `ir_version` that a probe believes; the current one is 14.
const MAX_IR_VERSION: u64 = 1000;

/// What files that are taken for models turn out to be, by their beginning in lower case.
const OTHERS: [(&[u8], &str); 9] = [
    (
        b"version https://git-lfs.github.com/spec/",
        "a Git LFS pointer, not a model: fetch the file with `git lfs pull`",
    ),
    (
        b"<!doctype html",
        "an HTML page, not a model: download the file again",
    ),
    (
        b"<html",
        "an HTML page, not a model: download the file again",
    ),
    (
        b"<?xml",
        "an XML document, not a model: download the file again",
    ),
    (b"{", "a JSON document, not a model"),
    (b"pk\x03\x04", "a zip archive, not an ONNX model"),
    (b"\x1f\x8b", "a gzip file, not a model: unpack it first"),
    (b"gguf", "a GGUF file, not an ONNX model"),
    (b"\x89hdf\r\n\x1a\n", "an HDF5 file, not an ONNX model"),
];

/// What a file is that could not be read as a model, where it is recognised.
pub(crate) fn other_kind(source: &dyn ReadAt) -> Result<Option<&'static str>, OnnxError> {
    let size = source.size().map_err(OnnxError::Read)?;
    if size == 0 {
        return Ok(Some("an empty file, not a model"));
    }
    let mut head = vec![0; HEAD.min(usize::try_from(size).unwrap_or(HEAD))];
    source
        .read_exact_at(&mut head, 0)
        .map_err(OnnxError::Read)?;
    head.make_ascii_lowercase();
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let text = text.trim_ascii_start();
    let known = OTHERS.iter().find(|(start, _)| text.starts_with(start));
    Ok(known.map(|(_, what)| *what))
}

/// Whether a file is an ONNX model by its content: an `ir_version`, a graph that begins like one,
/// and nothing at the top level that a model does not have. A model that is cut short is none: who
/// takes a file for a model by its name should [`super::read()`] it for the reason.
pub fn is_onnx(source: &dyn ReadAt) -> bool {
    looks_like_model(source).unwrap_or(false)
}

fn looks_like_model(source: &dyn ReadAt) -> Result<bool, OnnxError> {
    let mut wire = Wire::new(source)?;
    let mut message = Message::new(wire.whole(), model::ONCE);
    let (mut version, mut body) = (0, None);
    while let Some(record) = wire.next(&mut message)? {
        match (record.field, record.value) {
            (model::IR_VERSION, Value::Varint(number)) => version = number,
            (model::MODEL_VERSION, Value::Varint(_)) => {}
            (model::GRAPH, Value::Bytes(span)) => body = Some(span),
            (model::IR_VERSION | model::MODEL_VERSION, _) => return Ok(false),
            _ if is_known_text(&record) => {}
            (number, _) if number < model::CONFIGURATION => return Ok(false),
            _ => {}
        }
    }
    match body {
        Some(body) if (1..=MAX_IR_VERSION).contains(&version) => looks_like_graph(&mut wire, body),
        _ => Ok(false),
    }
}

/// Whether a record of the model is one of its strings or messages.
fn is_known_text(record: &Record) -> bool {
    let known = matches!(
        record.field,
        model::PRODUCER_NAME
            | model::PRODUCER_VERSION
            | model::DOMAIN
            | model::DOC_STRING
            | model::OPSET_IMPORT
            | model::METADATA_PROPS
            | model::TRAINING_INFO
            | model::FUNCTIONS
            | model::CONFIGURATION
    );
    known && matches!(record.value, Value::Bytes(_))
}

fn looks_like_graph(wire: &mut Wire, body: Span) -> Result<bool, OnnxError> {
    let mut message = Message::new(body, 0);
    for _ in 0..GRAPH_RECORDS {
        let Some(record) = wire.next(&mut message)? else {
            break;
        };
        let is_message = matches!(record.value, Value::Bytes(_));
        if record.field < graph::NODE || !is_message {
            return Ok(false);
        }
    }
    Ok(true)
}
