//! FunctionProto and TrainingInfoProto: what stands beside the main graph.

use super::model::Walk;
use super::scope::Place;
use crate::onnx::OnnxError;
use crate::onnx::model::Operator;
use crate::onnx::wire::field;
use crate::onnx::wire::{Message, Record, Span, Value};

impl Walk<'_> {
    /// Training information: its graphs are not run.
    pub(super) fn training(
        &mut self,
        body: Span,
        index: u32,
        place: Place,
    ) -> Result<(), OnnxError> {
        let mut message = Message::new(body, field::training::ONCE);
        while let Some(record) = self.wire.next(&mut message)? {
            let name = match record.field {
                field::training::INITIALIZATION => "initialization",
                field::training::ALGORITHM => "algorithm",
                _ => continue,
            };
            let Value::Bytes(body) = record.value else {
                continue;
            };
            let part = format!("training_info::{index}::{name}");
            let place = Place {
                scope: &place.scope.below(&part),
                movable: false,
                runs: false,
                ..place
            };
            self.inside(place, &record, |walk, place| walk.graph(body, place))?;
        }
        Ok(())
    }

    /// A function: its nodes count as its own.
    pub(super) fn function(&mut self, body: Span, place: Place) -> Result<(), OnnxError> {
        let [name, domain, overload] = self.function_names(body)?;
        let mut part = format!("{domain}::{name}");
        if !overload.is_empty() {
            part = format!("{part}::{overload}");
        }
        // A function is kept as a name and as a caller.
        self.wire.charge(2 * (part.len() + size_of::<Operator>()))?;
        let function = (domain, name);
        self.model.functions.insert(function.clone());
        self.model.calls.entry(Some(function.clone())).or_default();
        self.function = Some(function);
        let scope = place.scope.below(&part);
        let place = Place {
            scope: &scope,
            ..place
        };
        let mut message = Message::new(body, field::function::ONCE);
        while let Some(record) = self.wire.next(&mut message)? {
            self.function_record(&record, place)?;
        }
        self.function = None;
        Ok(())
    }

    fn function_record(&mut self, record: &Record, place: Place) -> Result<(), OnnxError> {
        match (record.field, record.value) {
            (field::function::NODE, Value::Bytes(body)) => {
                self.inside(place, record, |walk, place| walk.node(body, place))
            }
            (field::function::ATTRIBUTE_PROTO, Value::Bytes(body)) => {
                let place = Place {
                    movable: false,
                    ..place
                };
                self.inside(place, record, |walk, place| {
                    walk.attribute(body, None, place)
                })
            }
            _ => Ok(()),
        }
    }

    /// A function's name, domain and overload.
    fn function_names(&mut self, body: Span) -> Result<[String; 3], OnnxError> {
        let mut names = [const { String::new() }; 3];
        let mut message = Message::new(body, field::function::ONCE);
        while let Some(record) = self.wire.next(&mut message)? {
            let index = match record.field {
                field::function::NAME => 0,
                field::function::DOMAIN => 1,
                field::function::OVERLOAD => 2,
                _ => continue,
            };
            if let Value::Bytes(text) = record.value {
                names[index] = self.wire.text(text)?;
            }
        }
        Ok(names)
    }
}
