//! The entries of `external_data` → where a tensor's bytes are (onnx, docs/ExternalData.md).

use crate::onnx::external::location;
use crate::onnx::fault::TensorFault;
use crate::onnx::wire::field::entry as field;
use crate::onnx::wire::{Message, Span, Value, Wire};
use crate::onnx::{Content, DataType, OnnxError};

/// The keys that are defined. ONNX Runtime refuses all others; onnx once set attributes of an
/// object by them (CVE-2026-34445). The last two are read and never used.
const KEYS: [&str; 5] = ["location", "offset", "length", "checksum", "basepath"];

/// The entries of one tensor. They only count if its `data_location` is EXTERNAL, which stands
/// behind them: a fault waits until then.
#[derive(Default)]
pub(super) struct External {
    values: [Option<Vec<u8>>; KEYS.len()],
    fault: Option<TensorFault>,
}

impl External {
    /// Reads an entry.
    pub(super) fn add(&mut self, wire: &mut Wire, body: Span) -> Result<(), OnnxError> {
        let (mut key, mut value) = (String::new(), Vec::new());
        let mut message = Message::new(body, field::ONCE);
        while let Some(record) = wire.next(&mut message)? {
            match (record.field, record.value) {
                (field::KEY, Value::Bytes(span)) => key = wire.text(span)?,
                (field::VALUE, Value::Bytes(span)) => value = wire.bytes(span)?,
                _ => {}
            }
        }
        let fault = match KEYS.iter().position(|known| *known == key) {
            None => TensorFault::UnknownKey(key.chars().take(80).collect()),
            Some(index) if self.values[index].is_some() => TensorFault::DuplicateKey(KEYS[index]),
            Some(index) => {
                self.values[index] = Some(value);
                return Ok(());
            }
        };
        self.fault.get_or_insert(fault);
        Ok(())
    }

    /// Where the bytes are; `by_shape` is the length that type and shape say, where they do.
    pub(super) fn content(
        &mut self,
        data_type: DataType,
        by_shape: Option<u64>,
    ) -> Result<Content, TensorFault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let location = self.values[0].as_ref().ok_or(TensorFault::NoLocation)?;
        let location = location::normalise(location)?;
        let offset = self.number(1)?.unwrap_or(0);
        let expected = by_shape.ok_or(TensorFault::NoWidth(data_type.name()))?;
        let length = self.number(2)?.unwrap_or(expected);
        if length != expected {
            return Err(TensorFault::Length {
                expected,
                actual: length,
            });
        }
        Ok(Content::External {
            location,
            offset,
            length,
        })
    }

    fn number(&self, index: usize) -> Result<Option<u64>, TensorFault> {
        let Some(value) = &self.values[index] else {
            return Ok(None);
        };
        let text = std::str::from_utf8(value).unwrap_or("");
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<i64>().ok().filter(|_| digits);
        number.map(|number| Some(number as u64)).ok_or_else(|| {
            let shown = String::from_utf8_lossy(value);
            TensorFault::Number {
                key: KEYS[index],
                value: shown.chars().take(40).collect(),
            }
        })
    }
}
