//! What can be wrong with a model manifest.

use crate::ErrorKind;

/// A rule of the model manifest, named in messages and samples by [`Rule::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// It has at most [`MAX_MODEL_MANIFEST_SIZE`](crate::model::MAX_MODEL_MANIFEST_SIZE) bytes.
    Size,
    /// It is strict JSON with the members of the schema; paths and digests are valid.
    Form,
    /// `schemaVersion` is 1.
    SchemaVersion,
    /// `requires` names only features that are known.
    Requires,
    /// Numbers, and the sum of all file sizes, are below 2^53 (RFC 7493, section 2.2).
    Number,
    /// `layers` are the OCI manifest's, in order, with the same digests and sizes.
    LayerMatch,
    /// A layer's title and file path in the OCI manifest are its path.
    LayerTitle,
    /// Layers have the known media types, and no more of each than there may be.
    LayerType,
    /// A layer's path fits its media type.
    LayerPath,
    /// No two layers have paths that clash.
    LayerClash,
    /// An extent names a layer that exists.
    ExtentLayer,
    /// An extent is inside its layer, and not empty.
    ExtentRange,
    /// The extents of a file add up to its size.
    ExtentSum,
    /// An extent does not point into a graph layer that is not the original file.
    ExtentGraph,
    /// A file that is a whole layer, or empty, has the SHA-256 of that.
    FileDigest,
    /// No two files have paths that clash.
    FileClash,
    /// Below `.modelctl` there are only test files.
    OwnFolder,
    /// A graph is a file, listed once.
    GraphFile,
    /// A tensor's graph is a file.
    TensorGraph,
    /// A tensor is inside a layer.
    TensorRange,
    /// A tensor's length is what its type and shape say.
    TensorLength,
    /// A tensor without a SHA-256 is its whole layer.
    TensorDigest,
    /// A test's case is a plain name, given once.
    TestCase,
    /// A test's graph is listed.
    TestGraph,
    /// A test has outputs, and every test file belongs to a test.
    TestFiles,
    /// Tolerances are not negative.
    TestTolerance,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 26] = [
        Self::Size,
        Self::Form,
        Self::SchemaVersion,
        Self::Requires,
        Self::Number,
        Self::LayerMatch,
        Self::LayerTitle,
        Self::LayerType,
        Self::LayerPath,
        Self::LayerClash,
        Self::ExtentLayer,
        Self::ExtentRange,
        Self::ExtentSum,
        Self::ExtentGraph,
        Self::FileDigest,
        Self::FileClash,
        Self::OwnFolder,
        Self::GraphFile,
        Self::TensorGraph,
        Self::TensorRange,
        Self::TensorLength,
        Self::TensorDigest,
        Self::TestCase,
        Self::TestGraph,
        Self::TestFiles,
        Self::TestTolerance,
    ];

    /// The rule's name: lower case with hyphens, stable.
    pub fn code(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Form => "form",
            Self::SchemaVersion => "schema-version",
            Self::Requires => "requires",
            Self::Number => "number",
            Self::LayerMatch => "layer-match",
            Self::LayerTitle => "layer-title",
            Self::LayerType => "layer-type",
            Self::LayerPath => "layer-path",
            Self::LayerClash => "layer-clash",
            Self::ExtentLayer => "extent-layer",
            Self::ExtentRange => "extent-range",
            Self::ExtentSum => "extent-sum",
            Self::ExtentGraph => "extent-graph",
            Self::FileDigest => "file-digest",
            Self::FileClash => "file-clash",
            Self::OwnFolder => "own-folder",
            Self::GraphFile => "graph-file",
            Self::TensorGraph => "tensor-graph",
            Self::TensorRange => "tensor-range",
            Self::TensorLength => "tensor-length",
            Self::TensorDigest => "tensor-digest",
            Self::TestCase => "test-case",
            Self::TestGraph => "test-graph",
            Self::TestFiles => "test-files",
            Self::TestTolerance => "test-tolerance",
        }
    }
}

/// A rule that a model manifest breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model manifest breaks the rule `{}`: {detail}", rule.code())]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What breaks it: the subject, expected and actual.
    pub detail: String,
}

impl Violation {
    pub(super) fn new(rule: Rule, detail: impl Into<String>) -> Self {
        Self {
            rule,
            detail: detail.into(),
        }
    }

    /// What a caller can do about it: a newer format needs a newer reader, anything else is not
    /// what was packed.
    pub fn kind(&self) -> ErrorKind {
        match self.rule {
            Rule::SchemaVersion | Rule::Requires | Rule::LayerType => ErrorKind::Unsupported,
            _ => ErrorKind::Mismatch,
        }
    }
}
