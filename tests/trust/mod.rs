//! Who has made a model.

mod certificates;
mod oms;
mod test_result;
