//! ModelProto: what is at the top of a file.

use std::collections::{BTreeMap, HashSet};

use super::scope::{Place, Scope};
use crate::onnx::ReadAt;
use crate::onnx::model::Operator;
use crate::onnx::tree::Frame;
use crate::onnx::wire::field;
use crate::onnx::wire::{Message, Record, Span, Value, Wire};
use crate::onnx::{Model, OnnxError, probe};

/// A walk: what is read and what was found.
pub(super) struct Walk<'a> {
    pub(super) wire: Wire<'a>,
    pub(super) model: Model,
    /// Names of the main graph's initializers: inputs of these names are defaults (IR 3).
    pub(super) initializers: HashSet<String>,
    /// The function that is walked; none in the graph.
    pub(super) function: Option<Operator>,
}

/// Reads what is inside an ONNX file, without its weights.
///
/// # Errors
/// [`OnnxError::NotModel`] for files that are recognised as something else; else what is wrong
/// with the model and where. Names of the file are the caller's to add.
pub fn read(source: &dyn ReadAt) -> Result<Model, OnnxError> {
    let mut walk = Walk {
        wire: Wire::new(source)?,
        model: Model::default(),
        initializers: HashSet::new(),
        function: None,
    };
    walk.model.calls.insert(None, BTreeMap::new());
    match walk.model() {
        Ok(()) => Ok(walk.finish()),
        Err(error @ OnnxError::Malformed { .. }) => {
            Err(probe::other_kind(source)?.map_or(error, OnnxError::NotModel))
        }
        Err(error) => Err(error),
    }
}

impl Walk<'_> {
    fn model(&mut self) -> Result<(), OnnxError> {
        let main = Place {
            scope: &Scope::MAIN,
            frame: None,
            depth: 0,
            movable: true,
            runs: true,
        };
        let whole = self.wire.whole();
        let mut message = Message::new(whole, field::model::ONCE);
        let mut has_graph = false;
        let mut trainings = 0;
        while let Some(record) = self.wire.next(&mut message)? {
            match (record.field, record.value) {
                (field::model::IR_VERSION, Value::Varint(version)) => {
                    self.model.ir_version = version as i64;
                }
                (field::model::GRAPH, Value::Bytes(body)) => {
                    has_graph = true;
                    self.inside(main, &record, |walk, place| walk.main_graph(body, place))?;
                }
                (field::model::TRAINING_INFO, Value::Bytes(body)) => {
                    let index = trainings;
                    trainings += 1;
                    self.inside(main, &record, |walk, place| {
                        walk.training(body, index, place)
                    })?;
                }
                (field::model::FUNCTIONS, Value::Bytes(body)) => {
                    self.inside(main, &record, |walk, place| walk.function(body, place))?;
                }
                (_, Value::Bytes(body)) => self.described(record.field, body)?,
                _ => {}
            }
        }
        if !has_graph {
            return Err(OnnxError::malformed(
                whole.end,
                "the file ends without a graph",
            ));
        }
        Ok(())
    }

    /// Fields of the model that describe it.
    fn described(&mut self, number: u32, body: Span) -> Result<(), OnnxError> {
        match number {
            field::model::PRODUCER_NAME => self.model.producer_name = self.kept(body)?,
            field::model::PRODUCER_VERSION => self.model.producer_version = self.kept(body)?,
            field::model::DOMAIN => self.model.domain = self.kept(body)?,
            field::model::OPSET_IMPORT => self.opset(body)?,
            field::model::METADATA_PROPS => {
                let mut message = Message::new(body, field::entry::ONCE);
                while let Some(record) = self.wire.next(&mut message)? {
                    if let (field::entry::KEY, Value::Bytes(key)) = (record.field, record.value) {
                        let key = self.kept(key)?;
                        self.model.metadata_keys.insert(key);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn opset(&mut self, body: Span) -> Result<(), OnnxError> {
        let (mut domain, mut version) = (String::new(), 0);
        let mut message = Message::new(body, field::opset::ONCE);
        while let Some(record) = self.wire.next(&mut message)? {
            match (record.field, record.value) {
                (field::opset::DOMAIN, Value::Bytes(text)) => domain = self.kept(text)?,
                (field::opset::VERSION, Value::Varint(number)) => version = number as i64,
                _ => {}
            }
        }
        self.wire.charge(size_of::<(String, i64)>())?;
        self.model.opsets.insert(domain, version);
        Ok(())
    }

    /// Visits what is inside a record; its frame stays only if a tensor was found there.
    pub(super) fn inside(
        &mut self,
        place: Place,
        record: &Record,
        visit: impl FnOnce(&mut Self, Place) -> Result<(), OnnxError>,
    ) -> Result<(), OnnxError> {
        let before = self.model.tensors.len();
        let frame = self.model.tree.push(place.frame, record);
        visit(
            self,
            Place {
                frame: Some(frame),
                ..place
            },
        )?;
        if self.model.tensors.len() == before {
            self.model.tree.pop();
            return Ok(());
        }
        self.wire.charge(size_of::<Frame>())
    }

    /// A text that is kept in the model.
    pub(super) fn kept(&mut self, text: Span) -> Result<String, OnnxError> {
        self.wire.charge(text.length() as usize)?;
        self.wire.text(text)
    }

    fn finish(mut self) -> Model {
        for (operator, count) in self.model.calls.values().flatten() {
            *self.model.operators.entry(operator.clone()).or_default() += count;
        }
        let initializers = self.initializers;
        let inputs = &mut self.model.inputs;
        inputs.retain(|input| !initializers.contains(&input.name));
        self.model
    }
}
