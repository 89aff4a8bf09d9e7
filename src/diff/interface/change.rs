//! What can change in an interface, and in which words it is told.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::model::{Dimension, Value};

/// Whether B can take the place of A.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropIn {
    /// Whoever calls A can call B.
    Yes,
    /// Something that callers of A rely on is otherwise.
    No,
    /// The interface of A or B is not known: another tool's artifact, or no ONNX model.
    Unknown,
}

/// A change of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceChange {
    /// The path of the graph.
    pub graph: String,
    /// What of it changed.
    pub at: At,
    /// The name of the input or output; absent where all of them are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How it changed.
    pub change: Kind,
    /// Whether callers of A notice.
    pub breaks: bool,
    /// How it was declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Signature>,
    /// How it is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Signature>,
    /// What the declarations alone do not show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

/// A part of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum At {
    /// The graph as a whole.
    Graph,
    /// An input, or their order.
    Input,
    /// An output, or their order.
    Output,
}

/// How a part of an interface changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Only B has it.
    Added,
    /// Only A has it.
    Removed,
    /// It has another element type.
    Dtype,
    /// It has another shape.
    Shape,
    /// Only symbols are called otherwise.
    Symbols,
    /// Those that both have come in another order, or new ones between them.
    Order,
}

/// The declaration of an input or output: `float[batch,10]`. An unknown dimension is `?`, an unknown
/// rank `[…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(pub Value);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[", self.0.dtype)?;
        match &self.0.shape {
            None => f.write_str("…")?,
            Some(dimensions) => {
                for (at, dimension) in dimensions.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { "," })?;
                    match dimension {
                        Dimension::Fixed(length) => write!(f, "{length}")?,
                        Dimension::Symbol(name) => f.write_str(name)?,
                        Dimension::Unknown(()) => f.write_str("?")?,
                    }
                }
            }
        }
        f.write_str("]")
    }
}

impl Serialize for Signature {
    /// The value, as the model manifest has it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Why a shape breaks; dimensions are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The rank was any, or another one, or is any now.
    Rank,
    /// A dimension of an input takes less, or one of an output can be more.
    Dimension(usize),
    /// A dimension of an input has to be that of another one, and had not.
    Tied(usize, String, usize),
    /// A dimension of an output was that of an input, or of another output, and is no longer.
    Untied(usize),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rank => f.write_str("the rank is another one"),
            Self::Dimension(at) => write!(f, "dimension {at}"),
            Self::Tied(at, other, there) => {
                write!(f, "dimension {at} has to be dimension {there} of `{other}`")
            }
            Self::Untied(at) => write!(f, "dimension {at} no longer follows another one"),
        }
    }
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl InterfaceChange {
    pub(super) fn of_graph(path: &str, change: Kind, breaks: bool) -> Self {
        Self {
            graph: path.to_owned(),
            at: At::Graph,
            name: None,
            change,
            breaks,
            before: None,
            after: None,
            why: None,
        }
    }
}

/// In one sentence without the path of the graph, which only a graph's own change names.
impl fmt::Display for InterfaceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = match self.at {
            At::Graph => "graph",
            At::Input => "input",
            At::Output => "output",
        };
        match &self.name {
            Some(name) => write!(f, "{at} `{name}` ")?,
            None if self.at == At::Graph => write!(f, "graph `{}` ", self.graph)?,
            None => write!(f, "the {at}s ")?,
        }
        match (self.change, &self.before, &self.after) {
            (Kind::Added, _, Some(after)) => write!(f, "is new: {after}")?,
            (Kind::Added, ..) => f.write_str("is new")?,
            (Kind::Removed, ..) => f.write_str("is gone")?,
            (Kind::Order, ..) => f.write_str("come in another order")?,
            (_, Some(before), Some(after)) => write!(f, "was {before}, is {after}")?,
            _ => f.write_str("is another one")?,
        }
        match &self.why {
            Some(why) => write!(f, " ({why})"),
            None => Ok(()),
        }
    }
}
