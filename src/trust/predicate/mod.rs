//! Claims that modelctl makes and reads itself: the predicates of statements.

mod case;
mod test_result;

pub use case::{
    CompareResult, Platform, SmokeTest, TestedCase, TestedOutput, TestedRuntime, Tolerance,
};
pub use test_result::{Resource, TEST_RESULT, TestResult, Verdict};
