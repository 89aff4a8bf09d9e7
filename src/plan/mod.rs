//! Model files → the plan of an artifact: read-only and printable.

mod error;

pub use error::PlanError;
