//! Any model that can be read → the same model with all its tensors elsewhere, and back: nothing
//! else changes.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use modelctl::onnx::{Content, Model, Move, pieces, read, rewrite};

/// What of a model must not change.
fn description(model: &Model) -> String {
    let tensors: Vec<_> = model
        .tensors
        .iter()
        .map(|tensor| (&tensor.scope, &tensor.name, tensor.data_type, &tensor.shape))
        .collect();
    format!(
        "{:?}",
        (
            model.ir_version,
            &model.producer_name,
            &model.opsets,
            &model.operators,
            &model.functions,
            &model.inputs,
            &model.outputs,
            tensors,
        )
    )
}

fn moved(bytes: &[u8], model: &Model, to: impl Fn(usize, u64) -> Move) -> Vec<u8> {
    let mut moves = BTreeMap::new();
    for (index, tensor) in model.tensors.iter().enumerate() {
        if let Content::Inline { length, .. } | Content::External { length, .. } = tensor.content {
            moves.insert(index, to(index, length));
        }
    }
    let mut out = Vec::new();
    rewrite(&bytes, model, &moves, &mut out).expect("what was read can be rewritten");
    let total: u64 = pieces(&bytes, model, &moves)
        .expect("as before")
        .iter()
        .map(|piece| piece.length())
        .sum();
    assert_eq!(total, out.len() as u64);
    out
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = read(&bytes) else {
        return;
    };
    let external = |index: usize, length| Move::External {
        location: "data".to_owned(),
        offset: index as u64 * 4096,
        length,
    };
    let split = moved(bytes, &model, external);
    let split_model = read(&split.as_slice()).expect("a rewritten model can be read");
    assert_eq!(description(&model), description(&split_model));
    assert_eq!(moved(&split, &split_model, external), split);
    // External data may claim any length; only what was inline is known to fit into memory.
    let fits = model.tensors.iter().all(|tensor| match tensor.content {
        Content::External { length, .. } => length <= 1 << 16,
        _ => true,
    });
    if fits {
        let whole = moved(&split, &split_model, |_, length| {
            Move::Inline(vec![7; length as usize])
        });
        let whole_model = read(&whole.as_slice()).expect("a rewritten model can be read");
        assert_eq!(description(&model), description(&whole_model));
    }
});
