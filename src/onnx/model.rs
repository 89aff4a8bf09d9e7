//! What a reader finds in an ONNX file.

use std::collections::{BTreeMap, BTreeSet};

use super::DataType;
use super::tree::Tree;

/// The smallest tensor that may leave, in bytes: below it, ONNX Runtime may need the value while it
/// builds the graph, and onnx's own threshold is the same.
pub const SMALLEST: u64 = 1024;

/// An operator or a function: its domain and type.
pub(crate) type Operator = (String, String);
/// How often each function, and the graph (none), uses each operator.
pub(crate) type Calls = BTreeMap<Option<Operator>, BTreeMap<Operator, u64>>;

/// A model without its weights, as read from the wire.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// `ir_version`.
    pub ir_version: i64,
    /// `producer_name`.
    pub producer_name: String,
    /// `producer_version`.
    pub producer_version: String,
    /// `domain`.
    pub domain: String,
    /// Operator sets imported: version by domain (empty: `ai.onnx`).
    pub opsets: BTreeMap<String, i64>,
    /// How often each operator is used in the graph, its subgraphs and the functions, by domain
    /// and type.
    pub operators: BTreeMap<(String, String), u64>,
    /// Functions that the model defines, by domain and name.
    pub functions: BTreeSet<(String, String)>,
    /// Keys of `metadata_props`.
    pub metadata_keys: BTreeSet<String>,
    /// The graph's inputs in order, without those that are initializers (IR 3).
    pub inputs: Vec<ValueInfo>,
    /// The graph's outputs in order.
    pub outputs: Vec<ValueInfo>,
    /// Every tensor, wherever it lives, in the order of the file.
    pub tensors: Vec<Tensor>,
    /// Who uses which operators; what `operators` sums up.
    pub(crate) calls: Calls,
    /// Where the tensors' records stand; what a rewrite needs.
    pub(crate) tree: Tree,
}

impl Model {
    /// What a message calls a tensor, by its index: "initializer `W`".
    pub(crate) fn label(&self, index: usize) -> String {
        self.tree.label(&self.tensors, index)
    }
}

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueInfo {
    /// Its name.
    pub name: String,
    /// Its element type in lower case, or the kind of a value that is not a tensor.
    pub dtype: String,
    /// Its dimensions; `None` where the rank is unknown.
    pub shape: Option<Vec<Dim>>,
}

/// A dimension of an input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dim {
    /// `dim_value`.
    Fixed(u64),
    /// `dim_param`.
    Symbol(String),
    /// Neither.
    Unknown,
}

/// A TensorProto of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// The path to it: output names of nodes, attributes, functions, joined by `/`; empty for the
    /// initializers and Constants of the main graph.
    ///
    /// `<output>/<attribute>` for an attribute's tensor or subgraph (lists: `/<index>` too),
    /// `<domain>::<name>` for a function, `training_info::<index>::<graph>` for training.
    pub scope: String,
    /// Its name; of a Constant, the node's output. May be empty or occur twice in broken models.
    pub name: String,
    /// `data_type`: see [`DataType`].
    pub data_type: DataType,
    /// `dims`.
    pub shape: Vec<u64>,
    /// Where its content stands.
    pub content: Content,
}

impl Tensor {
    /// Whether the tensor may be taken out of the model: 1 KiB or more, and contiguous. One-dimensional
    /// integers stay where they are, since ONNX Runtime reads shapes while it builds the graph;
    /// where they are external already, it has been able to.
    pub fn can_leave(&self) -> bool {
        let is_integer = [DataType::INT32, DataType::INT64].contains(&self.data_type);
        match self.content {
            Content::Inline { length, .. } => {
                length >= SMALLEST && !(is_integer && self.shape.len() < 2)
            }
            Content::External { length, .. } => length >= SMALLEST,
            Content::Bound => false,
        }
    }
}

/// Where the content of a tensor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Contiguous in the model file, in the form that external data has: `raw_data`, or packed
    /// `float_data`/`double_data` in one record.
    Inline {
        /// Offset in the file, in bytes.
        offset: u64,
        /// Length in bytes.
        length: u64,
    },
    /// In another file.
    External {
        /// `location`: checked to be a safe relative path, normalised (no `.` components).
        location: String,
        /// `offset`, 0 where absent.
        offset: u64,
        /// `length`; where absent, what dtype and shape say.
        length: u64,
    },
    /// In a form that cannot stand elsewhere as it is: strings, varint fields, sparse tensors,
    /// data split over several records, or no data at all.
    Bound,
}
