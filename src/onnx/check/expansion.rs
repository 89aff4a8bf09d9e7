//! How large a model becomes once its functions are put in the place of their calls.
//!
//! Forty functions that each call the next one twice are a few kilobytes, and half a million
//! million nodes when ONNX Runtime inlines them: it neither ends nor can be stopped.

use std::collections::BTreeMap;

use crate::onnx::OnnxError;
use crate::onnx::model::{Calls, Operator};

/// How many functions may call one another in a chain. Exporters make one of each nested module,
/// some ten.
const MAX_DEPTH: u32 = 100;
/// How many nodes a model may unfold to; real ones have thousands.
const MAX_NODES: u64 = 1 << 22;

/// Refuses functions that call themselves, or unfold to more nodes than any model has.
pub(super) fn functions_unfold(calls: &Calls) -> Result<(), OnnxError> {
    let mut unfolding = Unfolding {
        calls,
        known: BTreeMap::new(),
    };
    unfolding.nodes(None, 0).map(drop)
}

struct Unfolding<'a> {
    calls: &'a Calls,
    /// The nodes of each function that has been unfolded.
    known: BTreeMap<&'a Operator, u64>,
}

impl<'a> Unfolding<'a> {
    /// The nodes of a function, or of the graph, with everything that it calls.
    fn nodes(&mut self, caller: Option<&'a Operator>, depth: u32) -> Result<u64, OnnxError> {
        if depth > MAX_DEPTH {
            return Err(OnnxError::Limit(
                "functions that call one another over 100 deep",
            ));
        }
        if let Some(nodes) = caller.and_then(|caller| self.known.get(caller)) {
            return Ok(*nodes);
        }
        let mut nodes = 0u64;
        for (callee, count) in self.calls.get(&caller.cloned()).into_iter().flatten() {
            let each = match self.calls.contains_key(&Some(callee.clone())) {
                true => self.nodes(Some(callee), depth + 1)?,
                false => 1,
            };
            nodes = nodes.saturating_add(count.saturating_mul(each));
        }
        if nodes > MAX_NODES {
            return Err(OnnxError::Limit(
                "functions that unfold to over 4,194,304 nodes",
            ));
        }
        if let Some(caller) = caller {
            self.known.insert(caller, nodes);
        }
        Ok(nodes)
    }
}
