//! Models beyond 2 GiB, and how much of a file is read.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::build::{Proto, empty_tensor, op, parsed};
use crate::onnx::wire::encode::bytes_header;
use crate::onnx::wire::field::{graph, model, tensor};
use crate::onnx::{Content, DataType, Move, Piece, ReadAt, is_onnx, pieces, read};

/// The length of each of three tensors, in bytes.
const LARGE: u64 = 1 << 30;

/// A file that counts what is read of it.
struct Counted {
    file: File,
    read: Cell<u64>,
}

impl ReadAt for Counted {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read.set(self.read.get() + buffer.len() as u64);
        ReadAt::read_at(&self.file, buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        ReadAt::size(&self.file)
    }
}

/// A model of 3 GiB that takes some kilobytes on the disk.
fn sparse_model() -> Counted {
    let heads = ["A", "B", "C"].map(|name| {
        let mut body = empty_tensor(name, DataType::FLOAT, &[LARGE / 4]).0;
        bytes_header(&mut body, tensor::RAW_DATA, LARGE);
        let mut head = Vec::new();
        bytes_header(&mut head, graph::INITIALIZER, body.len() as u64 + LARGE);
        head.extend(body);
        head
    });
    let node = Proto::new().message(graph::NODE, op("Relu", "y")).0;
    let tensors: u64 = heads.iter().map(|head| head.len() as u64 + LARGE).sum();
    let mut begin = Proto::new().number(model::IR_VERSION, 8).0;
    bytes_header(&mut begin, model::GRAPH, tensors + node.len() as u64);
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&begin, 0).unwrap();
    let mut at = begin.len() as u64;
    for head in heads {
        file.write_all_at(&head, at).unwrap();
        at += head.len() as u64 + LARGE;
    }
    file.write_all_at(&node, at).unwrap();
    file.set_len(at + node.len() as u64).unwrap();
    Counted {
        file,
        read: Cell::new(0),
    }
}

/// Security row A14: what is read and kept does not grow with what is declared.
#[test]
fn three_gibibytes_are_read_in_kilobytes() {
    let source = sparse_model();
    let model = read(&source).unwrap();
    assert!(is_onnx(&source));
    assert!(
        source.read.get() < 64 << 10,
        "read {} bytes",
        source.read.get()
    );
    let lengths = model.tensors.iter().map(|tensor| match tensor.content {
        Content::Inline { offset, length } => (offset / LARGE, length),
        _ => (0, 0),
    });
    let lengths: Vec<_> = lengths.collect();
    assert_eq!(lengths, [(0, LARGE), (1, LARGE), (2, LARGE)]);
    assert_eq!(model.operators.len(), 1);
}

#[test]
fn three_gibibytes_become_a_small_graph() {
    let source = sparse_model();
    let model = read(&source).unwrap();
    let mut moves = BTreeMap::new();
    for index in 0..3 {
        let to = Move::External {
            location: "data".to_owned(),
            offset: index as u64 * LARGE,
            length: LARGE,
        };
        moves.insert(index, to);
    }
    let mut rewritten = Vec::new();
    crate::onnx::rewrite(&source, &model, &moves, &mut rewritten).unwrap();
    assert!(rewritten.len() < 400, "{} bytes", rewritten.len());
    assert!(
        source.read.get() < 128 << 10,
        "read {} bytes",
        source.read.get()
    );
    let third = &parsed(&rewritten).tensors[2];
    let expected = Content::External {
        location: "data".to_owned(),
        offset: 2 * LARGE,
        length: LARGE,
    };
    assert_eq!(third.content, expected);
}

#[test]
fn what_stays_is_a_range_and_not_a_copy() {
    let source = sparse_model();
    let model = read(&source).unwrap();
    let to = Move::External {
        location: "data".to_owned(),
        offset: 0,
        length: LARGE,
    };
    let pieces = pieces(&source, &model, &BTreeMap::from([(1, to)])).unwrap();
    let new: usize = pieces
        .iter()
        .map(|piece| match piece {
            Piece::New(bytes) => bytes.len(),
            Piece::Original { .. } => 0,
        })
        .sum();
    assert!(new < 200, "{new} new bytes");
    let total: u64 = pieces.iter().map(Piece::length).sum();
    assert!((2 * LARGE..2 * LARGE + 400).contains(&total));
}
