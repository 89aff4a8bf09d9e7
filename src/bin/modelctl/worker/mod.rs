//! ONNX Runtime, in a process of its own.

mod evidence;
mod process;
mod record;
mod task;

pub(crate) use process::{Answer, RuntimeOptions, WorkerArgs, ask, delegate, run};
pub(crate) use record::{Recording, record};
pub(crate) use task::{Infer, Smoke, Task};
