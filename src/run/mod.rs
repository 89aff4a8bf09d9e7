//! A verified folder → its graphs run with ONNX Runtime, and what they gave.
//!
//! ```text
//! LibrarySearch ─ find_library ─ Engine::load            one ONNX Runtime per process
//! ModelDir ─ onnx::check ─ Session ─┬ smoke_test          the artifact's own cases → SmokeReport
//!                                   └ infer               the user's inputs → Inference
//! the packer's folder ─── Session ─── record              seeded inputs → cases to pack
//! ```
//!
//! A [`ModelDir`](crate::model::ModelDir) holds only files that were verified, and nothing of it
//! reaches ONNX Runtime before `onnx::check` had no objection. This module alone imports `ort`. A
//! model can still exhaust memory or crash the library, so the binary does all of this in a process
//! of its own: [`Limits`], [`supervise`].

mod case;
mod choose;
mod compare;
mod engine;
mod error;
mod file;
mod generate;
mod infer;
mod interface;
mod random;
mod record;
mod report;
mod smoke;
mod tensor;
mod worker;

pub use compare::{Comparison, Errors, Tolerance, compare};
pub use engine::{Engine, LibrarySearch, Session, SessionOptions, Version, find_library};
pub use error::RunError;
pub use generate::{InputOptions, ValueRange};
pub use infer::{InferOptions, Inference, infer};
pub use record::{RecordOptions, Recording, record};
pub use report::{
    CaseReport, InputReport, Outcome, OutputReport, Runtime, SmokeReport, Uncompared,
};
pub use smoke::{SmokeOptions, smoke_test};
pub use tensor::{
    Tensor, TensorError, decode_npy, decode_proto, encode_npy, encode_proto, from_json, to_json,
};
pub use worker::{Limits, supervise};

#[cfg(test)]
mod tests;
