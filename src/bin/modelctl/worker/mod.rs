//! ONNX Runtime, in a process of its own.

mod process;
mod record;
mod task;

pub(crate) use process::{RuntimeOptions, WorkerArgs, delegate, run};
pub(crate) use record::{Recording, record};
pub(crate) use task::{Infer, Smoke, Task};
