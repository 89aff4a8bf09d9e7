//! The messages on the way to each tensor: what must be encoded anew when a tensor's record
//! changes its length.

use super::Tensor;
use super::wire::{Record, Span};

/// What kind of place a tensor was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Initializer,
    Constant,
    Attribute,
    Sparse,
}

impl Origin {
    /// What a message calls a tensor: "initializer `W`", "constant `c` in `loop/body`".
    pub(crate) fn label(self, scope: &str, name: &str) -> String {
        let kind = match self {
            Self::Initializer => "initializer",
            Self::Constant => "constant",
            Self::Attribute => "attribute tensor",
            Self::Sparse => "sparse tensor",
        };
        match scope {
            "" => format!("{kind} `{name}`"),
            scope => format!("{kind} `{name}` in `{scope}`"),
        }
    }
}

/// A message whose record encloses a tensor, or is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// The index of the enclosing frame, always a smaller one; none for fields of the model.
    pub(crate) parent: Option<u32>,
    /// The whole record: tag, length and body.
    pub(crate) record: Span,
}

/// The frames of a model in the order of the file, and which of them are the tensors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    frames: Vec<Frame>,
    tensors: Vec<(u32, Origin)>,
}

impl Tree {
    /// Adds the frame of a record inside another.
    pub(crate) fn push(&mut self, parent: Option<u32>, record: &Record) -> u32 {
        let index = self.frames.len() as u32;
        self.frames.push(Frame {
            parent,
            record: record.span,
        });
        index
    }

    /// Forgets a frame, the last one, in which no tensor was found.
    pub(crate) fn pop(&mut self) {
        self.frames.pop();
    }

    /// Makes a frame the next tensor's.
    pub(crate) fn tensor(&mut self, frame: u32, origin: Origin) {
        self.tensors.push((frame, origin));
    }

    /// All frames; each comes after the one that encloses it.
    pub(crate) fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The frame of a tensor, by its index in the model.
    pub(crate) fn frame_of(&self, tensor: usize) -> Option<usize> {
        self.tensors.get(tensor).map(|(frame, _)| *frame as usize)
    }

    /// What a message calls a tensor, by its index in the model.
    pub(crate) fn label(&self, tensors: &[Tensor], index: usize) -> String {
        match (self.tensors.get(index), tensors.get(index)) {
            (Some((_, origin)), Some(tensor)) => origin.label(&tensor.scope, &tensor.name),
            _ => format!("tensor {index}"),
        }
    }
}
