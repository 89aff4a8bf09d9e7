//! Models written anew.

use std::collections::BTreeMap;

use super::build::{
    Proto, attr, constant, empty_tensor, graph_of, model_of, op, parsed, raw, weights,
};
use crate::onnx::wire::field::{attribute, function, graph, model, node, tensor};
use crate::onnx::{Content, DataType, Model, Move, OnnxError, Piece, pieces, rewrite};

fn rewritten(bytes: &[u8], moves: &BTreeMap<usize, Move>) -> Vec<u8> {
    let model = parsed(bytes);
    let mut out = Vec::new();
    rewrite(&bytes, &model, moves, &mut out).unwrap();
    out
}

fn external(offset: u64, length: u64) -> Move {
    Move::External {
        location: "m_data_0".to_owned(),
        offset,
        length,
    }
}

/// Moves of all tensors that are not bound, one behind the other.
fn all(model: &Model) -> BTreeMap<usize, Move> {
    let mut at = 0;
    let mut moves = BTreeMap::new();
    for (index, tensor) in model.tensors.iter().enumerate() {
        if let Content::Inline { length, .. } | Content::External { length, .. } = tensor.content {
            moves.insert(index, external(at, length));
            at += length;
        }
    }
    moves
}

/// A tensor as a rewrite leaves it.
fn moved(head: Proto, offset: &str, length: &str) -> Proto {
    head.external(&[
        ("location", "m_data_0"),
        ("offset", offset),
        ("length", length),
    ])
}

#[test]
fn nothing_moved_is_nothing_changed() {
    let bytes = weights(&[raw("W", b"123"), raw("V", b"4")]);
    assert_eq!(rewritten(&bytes, &BTreeMap::new()), bytes);
    let model = parsed(&bytes);
    let whole = Piece::Original {
        offset: 0,
        length: bytes.len() as u64,
    };
    assert_eq!(pieces(&bytes, &model, &BTreeMap::new()).unwrap(), [whole]);
}

#[test]
fn all_but_the_moved_tensor_is_copied() {
    let unknown = |graph: Proto| {
        graph
            .bytes(900, "later")
            .fixed32(901, *b"1234")
            .number(902, 7)
    };
    let head = |name: &str| empty_tensor(name, DataType(2), &[200]);
    let tail = |proto: Proto| proto.bytes(12, "doc").bytes(903, "later");
    let build = |w: Proto| {
        let graph = unknown(graph_of(
            &[op("Relu", "y")],
            &[raw("A", b"1"), w, raw("Z", b"9")],
        ));
        unknown(model_of(graph)).0
    };
    let before = build(tail(head("W").bytes(tensor::RAW_DATA, [7; 200])));
    let after = build(moved(tail(head("W")), "4096", "200"));
    assert_eq!(
        rewritten(&before, &BTreeMap::from([(1, external(4096, 200))])),
        after
    );
}

#[test]
fn typed_data_and_old_external_data_give_way() {
    let head = || empty_tensor("W", DataType::DOUBLE, &[1]);
    let typed = weights(&[head().bytes(tensor::DOUBLE_DATA, "01234567")]);
    let elsewhere =
        weights(&[head().external(&[("checksum", "00"), ("location", "old"), ("basepath", "x")])]);
    let after = weights(&[moved(head(), "0", "8")]);
    let moves = BTreeMap::from([(0, external(0, 8))]);
    assert_eq!(rewritten(&typed, &moves), after);
    assert_eq!(rewritten(&elsewhere, &moves), after);
    assert_eq!(rewritten(&after, &moves), after);
}

#[test]
fn external_data_can_come_in() {
    let head = || empty_tensor("W", DataType::FLOAT, &[2]);
    let before = weights(&[head().external(&[("location", "old")])]);
    let after = weights(&[head().bytes(tensor::RAW_DATA, "01234567")]);
    let moves = BTreeMap::from([(0, Move::Inline(b"01234567".to_vec()))]);
    assert_eq!(rewritten(&before, &moves), after);
}

/// Lengths around the moved tensor are written anew at every level, and only there.
#[test]
fn tensors_leave_from_every_depth() {
    let build = |w: &dyn Fn(&str) -> Proto| {
        let inner = graph_of(&[constant("c", w("own"))], &[w("I")]);
        let outer = op("If", "y")
            .message(node::ATTRIBUTE, attr("then", attribute::G, inner.clone()))
            .message(
                node::ATTRIBUTE,
                attr("else", attribute::G, graph_of(&[op("A", "z")], &[])),
            );
        let defined = Proto::new()
            .bytes(function::NAME, "f")
            .message(function::NODE, constant("c", w("F")));
        model_of(graph_of(&[outer, op("B", "w")], &[w("W")]))
            .message(model::FUNCTIONS, defined)
            .bytes(model::PRODUCER_NAME, "end")
            .0
    };
    // Long enough that every length around it takes another number of bytes without it.
    let head = |name: &str| empty_tensor(name, DataType(2), &[20_000]);
    let before = build(&|name| head(name).bytes(tensor::RAW_DATA, [7; 20_000]));
    let after = build(&|name| {
        // The builder asks for the tensors of the inner graph first, in another order.
        let index = ["own", "I", "W", "F"]
            .iter()
            .position(|known| *known == name)
            .unwrap();
        moved(head(name), &(index * 20_000).to_string(), "20000")
    });
    let moves = all(&parsed(&before));
    assert_eq!(moves.len(), 4);
    assert_eq!(rewritten(&before, &moves), after);
}

#[test]
fn pieces_are_what_is_written() {
    let bytes = weights(&[raw("A", &[1; 300]), raw("B", &[2; 300])]);
    let model = parsed(&bytes);
    let moves = all(&model);
    let mut joined = Vec::new();
    for piece in pieces(&bytes, &model, &moves).unwrap() {
        assert!(piece.length() > 0);
        match piece {
            Piece::New(new) => joined.extend(new),
            Piece::Original { offset, length } => {
                joined.extend(&bytes[offset as usize..(offset + length) as usize]);
            }
        }
    }
    assert_eq!(joined, rewritten(&bytes, &moves));
}

#[test]
fn moves_that_do_not_fit_are_refused() {
    let string = empty_tensor("S", DataType::STRING, &[1]).bytes(tensor::STRING_DATA, "text");
    let bytes = weights(&[raw("W", b"123"), string]);
    let model = parsed(&bytes);
    let refusal = |index, to| {
        let moves = BTreeMap::from([(index, to)]);
        pieces(&bytes, &model, &moves).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(0, external(0, 4)),
        "initializer `W`: expected 3 bytes by its type and shape, got 4"
    );
    assert_eq!(
        refusal(0, Move::Inline(vec![0; 2])),
        "initializer `W`: expected 3 bytes by its type and shape, got 2"
    );
    assert_eq!(
        refusal(1, external(0, 4)),
        "initializer `S`: its data cannot stand outside its record"
    );
    assert_eq!(
        refusal(2, external(0, 4)),
        "tensor 2: its data cannot stand outside its record"
    );
}

#[test]
fn a_file_that_has_changed_is_refused() {
    let model = parsed(&weights(&[raw("W", &[1; 40])]));
    let other = weights(&[raw("a longer name", &[1; 40])]);
    let moves = BTreeMap::from([(0, external(0, 40))]);
    let refused = pieces(&other, &model, &moves).unwrap_err();
    assert!(matches!(refused, OnnxError::Malformed { .. }), "{refused}");
}

#[test]
fn a_graph_of_a_single_initializer_can_be_empty_handed() {
    let bytes = model_of(Proto::new().message(graph::INITIALIZER, Proto::new())).0;
    assert_eq!(rewritten(&bytes, &all(&parsed(&bytes))), bytes);
}
