//! Who has made a model.

mod oms;
