//! Files → the plan of an artifact: what it holds, what it refuses, and that its digest never changes.

mod artifact;
mod determinism;
mod refusals;
mod source;
mod split;
