//! ONNX Runtime: what models compute, and which ones are refused before they can.

mod hostile;
mod limits;
mod onnxruntime;
