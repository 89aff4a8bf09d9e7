//! Who has made a model.

mod certificates;
mod oms;
