//! What must hold before ONNX Runtime sees a model: a model and its folder → nothing to object.
//!
//! ONNX Runtime checks much of it too, some of it only since 1.24, and says little about what it
//! found. What needs neither files nor the whole model, [`read()`](super::read()) has checked.

mod expansion;
mod files;
mod rules;

pub use files::check_external_data;
pub use rules::check;
