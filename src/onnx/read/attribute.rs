//! AttributeProto and SparseTensorProto: the tensors and graphs that nodes carry.

use super::graph::Node;
use super::model::Walk;
use super::scope::Place;
use super::tensor::Found;
use crate::onnx::OnnxError;
use crate::onnx::tree::Origin;
use crate::onnx::wire::field;
use crate::onnx::wire::{Message, Record, Span, Value};

impl Walk<'_> {
    /// An attribute of a node, or a function's default for one.
    pub(super) fn attribute(
        &mut self,
        body: Span,
        node: Option<&Node>,
        place: Place,
    ) -> Result<(), OnnxError> {
        let name = self.attribute_name(body)?;
        let constant = node.filter(|node| node.is_constant() && name == "value");
        let outer = node.map_or(*place.scope, |node| place.scope.below(&node.output));
        let scope = outer.below(&name);
        let inner = Place {
            scope: &scope,
            ..place
        };
        let mut items = 0u32;
        let mut message = Message::new(body, field::attribute::ONCE);
        while let Some(record) = self.wire.next(&mut message)? {
            let Value::Bytes(body) = record.value else {
                continue;
            };
            match (record.field, constant) {
                (field::attribute::T, Some(node)) => self.constant(&record, node, place)?,
                (
                    field::attribute::TENSORS
                    | field::attribute::GRAPHS
                    | field::attribute::SPARSE_TENSORS,
                    _,
                ) => {
                    let index = items.to_string();
                    items += 1;
                    let scope = scope.below(&index);
                    let item = Place {
                        scope: &scope,
                        ..place
                    };
                    self.attribute_value(&record, body, item)?;
                }
                _ => self.attribute_value(&record, body, inner)?,
            }
        }
        Ok(())
    }

    fn attribute_name(&mut self, body: Span) -> Result<String, OnnxError> {
        let mut name = String::new();
        let mut message = Message::new(body, field::attribute::ONCE);
        while let Some(record) = self.wire.next(&mut message)? {
            if let (field::attribute::NAME, Value::Bytes(text)) = (record.field, record.value) {
                name = self.wire.text(text)?;
            }
        }
        Ok(name)
    }

    /// The value of a Constant: it is named like the output that it gives.
    fn constant(&mut self, record: &Record, node: &Node, place: Place) -> Result<(), OnnxError> {
        let found = Found {
            origin: Origin::Constant,
            name: Some(&node.output),
        };
        self.tensor(record, found, place)
    }

    fn attribute_value(
        &mut self,
        record: &Record,
        body: Span,
        place: Place,
    ) -> Result<(), OnnxError> {
        match record.field {
            field::attribute::T | field::attribute::TENSORS => {
                self.tensor(record, Found::by_own_name(Origin::Attribute), place)
            }
            field::attribute::G | field::attribute::GRAPHS => {
                self.inside(place, record, |walk, place| walk.graph(body, place))
            }
            field::attribute::SPARSE_TENSOR | field::attribute::SPARSE_TENSORS => {
                self.inside(place, record, |walk, place| walk.sparse(body, place))
            }
            _ => Ok(()),
        }
    }

    /// A sparse tensor: onnx refuses external data in it, so its two tensors stay.
    pub(super) fn sparse(&mut self, body: Span, place: Place) -> Result<(), OnnxError> {
        let place = Place {
            movable: false,
            ..place
        };
        let mut message = Message::new(body, field::sparse::ONCE);
        while let Some(record) = self.wire.next(&mut message)? {
            if [field::sparse::VALUES, field::sparse::INDICES].contains(&record.field) {
                self.tensor(&record, Found::by_own_name(Origin::Sparse), place)?;
            }
        }
        Ok(())
    }
}
