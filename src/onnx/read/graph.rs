//! GraphProto and NodeProto.

use super::model::Walk;
use super::scope::Place;
use super::tensor::Found;
use crate::onnx::OnnxError;
use crate::onnx::model::Operator;
use crate::onnx::tree::Origin;
use crate::onnx::wire::field;
use crate::onnx::wire::{Message, Record, Span, Value};

/// How many graphs may enclose each other. Protobuf's own limit of 100 messages allows 33.
const MAX_DEPTH: u32 = 64;

/// What names a node.
#[derive(Default)]
pub(super) struct Node {
    /// Its first output that has a name.
    pub(super) output: String,
    domain: String,
    kind: String,
}

impl Node {
    /// Whether the node is a Constant of ONNX itself.
    pub(super) fn is_constant(&self) -> bool {
        self.kind == "Constant" && (self.domain.is_empty() || self.domain == "ai.onnx")
    }
}

impl Walk<'_> {
    /// The graph whose inputs and outputs are the model's.
    pub(super) fn main_graph(&mut self, body: Span, place: Place) -> Result<(), OnnxError> {
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            let Value::Bytes(body) = record.value else {
                continue;
            };
            let before = self.model.tensors.len();
            match record.field {
                field::graph::INPUT => {
                    let input = self.value_info(body)?;
                    self.model.inputs.push(input);
                }
                field::graph::OUTPUT => {
                    let output = self.value_info(body)?;
                    self.model.outputs.push(output);
                }
                number => {
                    self.graph_record(&record, body, place)?;
                    if [field::graph::INITIALIZER, field::graph::SPARSE_INITIALIZER]
                        .contains(&number)
                    {
                        self.remember_initializers(before)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn remember_initializers(&mut self, from: usize) -> Result<(), OnnxError> {
        for tensor in &self.model.tensors[from..] {
            self.wire.charge(tensor.name.len() + size_of::<String>())?;
            self.initializers.insert(tensor.name.clone());
        }
        Ok(())
    }

    /// A graph inside the model: its inputs and outputs are nobody else's.
    pub(super) fn graph(&mut self, body: Span, place: Place) -> Result<(), OnnxError> {
        let place = Place {
            depth: place.depth + 1,
            ..place
        };
        if place.depth > MAX_DEPTH {
            return Err(OnnxError::Limit("graphs nested over 64 deep"));
        }
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            if let Value::Bytes(body) = record.value {
                self.graph_record(&record, body, place)?;
            }
        }
        Ok(())
    }

    fn graph_record(&mut self, record: &Record, body: Span, place: Place) -> Result<(), OnnxError> {
        match record.field {
            field::graph::NODE => self.inside(place, record, |walk, place| walk.node(body, place)),
            field::graph::INITIALIZER => {
                self.tensor(record, Found::by_own_name(Origin::Initializer), place)
            }
            field::graph::SPARSE_INITIALIZER => {
                self.inside(place, record, |walk, place| walk.sparse(body, place))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn node(&mut self, body: Span, place: Place) -> Result<(), OnnxError> {
        let node = self.node_names(body)?;
        if place.runs {
            self.count(&node)?;
        }
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            if let (field::node::ATTRIBUTE, Value::Bytes(body)) = (record.field, record.value) {
                self.inside(place, &record, |walk, place| {
                    walk.attribute(body, Some(&node), place)
                })?;
            }
        }
        Ok(())
    }

    fn node_names(&mut self, body: Span) -> Result<Node, OnnxError> {
        let mut node = Node::default();
        let mut message = Message::new(body, field::node::ONCE);
        while let Some(record) = self.wire.next(&mut message)? {
            let Value::Bytes(text) = record.value else {
                continue;
            };
            match record.field {
                field::node::OUTPUT if node.output.is_empty() => {
                    node.output = self.wire.text(text)?;
                }
                field::node::OP_TYPE => node.kind = self.wire.text(text)?,
                field::node::DOMAIN => node.domain = self.wire.text(text)?,
                _ => {}
            }
        }
        Ok(node)
    }

    fn count(&mut self, node: &Node) -> Result<(), OnnxError> {
        let operator = (node.domain.clone(), node.kind.clone());
        let Some(used) = self.model.calls.get_mut(&self.function) else {
            return Ok(());
        };
        if let Some(count) = used.get_mut(&operator) {
            *count += 1;
            return Ok(());
        }
        // It is kept here and in the sum.
        let strings = operator.0.len() + operator.1.len();
        self.wire
            .charge(2 * (strings + size_of::<(Operator, u64)>()))?;
        used.insert(operator, 1);
        Ok(())
    }
}
