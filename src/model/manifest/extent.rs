//! Ranges of layers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::MAX_NUMBER;

/// `[layer, offset, length]`: `length` bytes at `offset` of `layers[layer]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u64, u64)", into = "(u32, u64, u64)")]
pub struct Extent {
    /// Index into [`super::ModelManifest::layers`].
    pub layer: u32,
    /// Offset in the layer, in bytes.
    pub offset: u64,
    /// Length in bytes, never 0.
    pub length: u64,
}

impl From<(u32, u64, u64)> for Extent {
    fn from((layer, offset, length): (u32, u64, u64)) -> Self {
        Self {
            layer,
            offset,
            length,
        }
    }
}

impl From<Extent> for (u32, u64, u64) {
    fn from(extent: Extent) -> Self {
        (extent.layer, extent.offset, extent.length)
    }
}

impl JsonSchema for Extent {
    fn schema_name() -> Cow<'static, str> {
        "Extent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`[layer, offset, length]`: `length` bytes at `offset` of `layers[layer]`.",
            "type": "array",
            "prefixItems": [
                { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                { "type": "integer", "minimum": 0, "maximum": MAX_NUMBER },
                { "type": "integer", "minimum": 1, "maximum": MAX_NUMBER },
            ],
            "minItems": 3,
            "maxItems": 3,
        })
    }
}
