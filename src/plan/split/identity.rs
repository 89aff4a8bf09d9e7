//! What a tensor is, apart from its values and its place.

use crate::oci::Digest;
use crate::onnx::{DataType, Tensor};

/// The identity of a tensor within a graph; the order of the fields is the order of shards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    data_type: DataType,
    shape: Vec<u64>,
    scope: String,
    name: String,
}

impl Identity {
    pub(super) fn of(tensor: &Tensor) -> Self {
        Self {
            data_type: tensor.data_type,
            shape: tensor.shape.clone(),
            scope: tensor.scope.clone(),
            name: tensor.name.clone(),
        }
    }

    /// A number that looks random and is always the same for an identity.
    pub(super) fn mark(&self) -> u64 {
        let mut bytes = self.data_type.0.to_le_bytes().to_vec();
        bytes.extend((self.shape.len() as u64).to_le_bytes());
        bytes.extend(self.shape.iter().flat_map(|dim| dim.to_le_bytes()));
        for text in [&self.scope, &self.name] {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        let digest = Digest::sha256(&bytes);
        let first = digest.value().first_chunk().expect("32 bytes");
        u64::from_be_bytes(*first)
    }
}
