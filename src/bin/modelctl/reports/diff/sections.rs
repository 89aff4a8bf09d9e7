//! The tables of a difference.

use std::fmt::Display;

use modelctl::diff::{
    CaseState, Change, Delta, Difference, FileState, GraphChange, Signer, TensorState, Total,
};

use super::MAX_ROWS;
use crate::text::{Size, count, word};

/// A cell of a table.
pub(super) enum Cell {
    /// Our own words and numbers.
    Word(String),
    /// What a model says: hostile.
    Name(String),
}

/// A table with a title.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// How much there is of what.
    pub(super) summary: String,
    pub(super) head: &'static [&'static str],
    /// The first rows.
    pub(super) rows: Vec<Vec<Cell>>,
    /// How many more there are.
    pub(super) more: usize,
}

fn own(text: impl Display) -> Cell {
    Cell::Word(text.to_string())
}

fn name(text: impl Display) -> Cell {
    Cell::Name(text.to_string())
}

/// What a model says, or nothing.
fn maybe<T: Display>(text: Option<T>) -> Cell {
    text.map_or_else(|| own(""), name)
}

impl Section {
    fn new(
        title: &'static str,
        head: &'static [&'static str],
        rows: impl Iterator<Item = Vec<Cell>>,
    ) -> Self {
        let mut rows = rows;
        let first: Vec<Vec<Cell>> = rows.by_ref().take(MAX_ROWS).collect();
        let more = rows.count();
        Self {
            title,
            summary: count(first.len() + more, "change"),
            head,
            rows: first,
            more,
        }
    }

    fn with_summary(self, summary: String) -> Self {
        Self { summary, ..self }
    }
}

/// All of them that have rows, the interface first.
pub(super) fn of(difference: &Difference) -> Vec<Section> {
    let sections = [
        interface(difference),
        operators(&difference.graphs),
        tensors(difference),
        files(difference),
        about(difference),
        tests(difference),
        signers(difference),
    ];
    let filled = sections
        .into_iter()
        .filter(|section| !section.rows.is_empty());
    filled.collect()
}

fn interface(difference: &Difference) -> Section {
    let rows = difference.interface.iter().map(|change| {
        vec![
            own(if change.breaks { "breaks" } else { "fine" }),
            name(&change.graph),
            own(word(&change.at)),
            maybe(change.name.as_ref()),
            own(word(&change.change)),
            maybe(change.before.as_ref()),
            maybe(change.after.as_ref()),
            maybe(change.why.as_ref()),
        ]
    });
    let head = &[
        "CALLERS", "GRAPH", "WHAT", "NAME", "CHANGE", "A", "B", "WHY",
    ];
    Section::new("interface", head, rows)
}

fn operators(graphs: &[GraphChange]) -> Section {
    let rows = graphs.iter().flat_map(|graph| {
        let row = |what: &str, of: Cell, before: Cell, after: Cell, way: &str| {
            vec![name(&graph.path), own(what), of, before, after, own(way)]
        };
        let ir = graph.ir_version.iter().map(move |change| {
            let (before, after) = both(change);
            row("IR", own(""), before, after, way(change))
        });
        let opsets = graph.opsets.iter().map(move |opset| {
            let (before, after) = both(&opset.change);
            row(
                "opset",
                name(domain(&opset.domain)),
                before,
                after,
                way(&opset.change),
            )
        });
        let operators = graph.operators.iter().map(move |operator| {
            let called = match operator.domain.as_str() {
                "" => operator.op_type.clone(),
                domain => format!("{domain}.{}", operator.op_type),
            };
            let (before, after) = both(&operator.change);
            row(
                "operator",
                name(called),
                before,
                after,
                way(&operator.change),
            )
        });
        let producer = graph.producer.iter().map(move |change| {
            let (before, after) = both(change);
            row("producer", own(""), before, after, "")
        });
        ir.chain(opsets).chain(operators).chain(producer)
    });
    let head = &["GRAPH", "WHAT", "NAME", "A", "B", "WAY"];
    Section::new("operators", head, rows)
}

fn domain(domain: &str) -> &str {
    match domain {
        "" => "ai.onnx",
        other => other,
    }
}

fn both<T: Display>(change: &Change<T>) -> (Cell, Cell) {
    (maybe(change.before.as_ref()), maybe(change.after.as_ref()))
}

fn way<T: PartialOrd>(change: &Change<T>) -> &'static str {
    match (&change.before, &change.after) {
        (None, _) => "added",
        (_, None) => "removed",
        (Some(before), Some(after)) if before < after => "up",
        _ => "down",
    }
}

/// `1 added (4.0 kB), 2 removed (8.0 kB), 3 changed (1.2 MB), 70 unchanged (12.0 MB)`.
fn summary<E, C>(
    delta: &Delta<E, C>,
    entry: impl Fn(&E) -> u64,
    changed: impl Fn(&C) -> u64,
) -> String {
    let parts = [
        ("added", Total::of(delta.added.iter().map(&entry))),
        ("removed", Total::of(delta.removed.iter().map(&entry))),
        ("changed", Total::of(delta.changed.iter().map(changed))),
        ("unchanged", delta.unchanged),
    ];
    let parts = parts.into_iter().filter(|(_, total)| total.count > 0);
    let parts =
        parts.map(|(what, total)| format!("{} {what} ({})", total.count, Size(total.bytes)));
    parts.collect::<Vec<_>>().join(", ")
}

fn tensors(difference: &Difference) -> Section {
    let delta = &difference.tensors;
    let called = |scope: &str, tensor: &str| match scope {
        "" => name(tensor),
        scope => name(format!("{scope}/{tensor}")),
    };
    let entries = [("+", &delta.added), ("-", &delta.removed)];
    let entries = entries.into_iter().flat_map(move |(sign, entries)| {
        entries.iter().map(move |entry| {
            let (before, after) = match sign {
                "+" => (own(""), name(signature(&entry.state))),
                _ => (name(signature(&entry.state)), own("")),
            };
            let size = own(Size(entry.state.bytes));
            let called = called(&entry.scope, &entry.name);
            vec![
                own(sign),
                name(&entry.graph),
                called,
                before,
                after,
                size,
                own(""),
            ]
        })
    });
    let changed = delta.changed.iter().map(move |change| {
        vec![
            own("~"),
            name(&change.graph),
            called(&change.scope, &change.name),
            name(signature(&change.before)),
            name(signature(&change.after)),
            own(Size(change.after.bytes)),
            own(words(&change.parts)),
        ]
    });
    let head = &["", "GRAPH", "TENSOR", "A", "B", "SIZE", "WHAT"];
    let summary = summary(
        delta,
        |entry| entry.state.bytes,
        |change| change.after.bytes,
    );
    Section::new("tensors", head, changed.chain(entries)).with_summary(summary)
}

fn signature(state: &TensorState) -> String {
    let shape: Vec<String> = state.shape.iter().map(u64::to_string).collect();
    format!("{}[{}]", state.dtype, shape.join(","))
}

/// The words of plain enums.
fn words<T: serde::Serialize>(parts: &[T]) -> String {
    let words: Vec<String> = parts.iter().map(word).collect();
    words.join(", ")
}

fn files(difference: &Difference) -> Section {
    let delta = &difference.files;
    let size = |state: &FileState| own(Size(state.bytes));
    let entries = [("+", &delta.added), ("-", &delta.removed)];
    let entries = entries.into_iter().flat_map(move |(sign, entries)| {
        entries.iter().map(move |entry| {
            let (before, after) = match sign {
                "+" => (own(""), size(&entry.state)),
                _ => (size(&entry.state), own("")),
            };
            vec![own(sign), name(&entry.path), before, after, own("")]
        })
    });
    let changed = delta.changed.iter().map(move |change| {
        let (before, after) = (size(&change.before), size(&change.after));
        let what = own(words(&change.parts));
        vec![own("~"), name(&change.path), before, after, what]
    });
    let summary = summary(
        delta,
        |entry| entry.state.bytes,
        |change| change.after.bytes,
    );
    let head = &["", "FILE", "A", "B", "WHAT"];
    Section::new("files", head, changed.chain(entries)).with_summary(summary)
}

fn about(difference: &Difference) -> Section {
    let rows = difference.about.iter().map(|about| {
        let (before, after) = both(&about.change);
        let key = maybe(about.key.as_ref());
        vec![own(word(&about.field)), key, before, after]
    });
    Section::new("about", &["WHAT", "KEY", "A", "B"], rows)
}

fn tests(difference: &Difference) -> Section {
    let rows = difference.tests.iter().map(|test| {
        let sign = match (&test.change.before, &test.change.after) {
            (None, _) => "+",
            (_, None) => "-",
            _ => "~",
        };
        let state = |state: &Option<CaseState>| maybe(state.as_ref().map(case));
        vec![
            own(sign),
            name(&test.case),
            state(&test.change.before),
            state(&test.change.after),
            own(words(&test.parts)),
        ]
    });
    Section::new("tests", &["", "TEST", "A", "B", "WHAT"], rows)
}

/// `model.onnx rtol 0.001 atol 0.00001 x[1,10]`.
fn case(state: &CaseState) -> String {
    let shapes = state.shapes.iter().map(|(name, shape)| {
        let shape: Vec<String> = shape.iter().map(u64::to_string).collect();
        format!(" {name}[{}]", shape.join(","))
    });
    let shapes: String = shapes.collect();
    let CaseState {
        graph, rtol, atol, ..
    } = state;
    format!("{graph} rtol {rtol} atol {atol}{shapes}")
}

fn signers(difference: &Difference) -> Section {
    let signers = difference.signers.as_ref();
    let signers = signers.filter(|signers| signers.a != signers.b);
    let rows = signers.into_iter().flat_map(|signers| {
        let only = |sign, here: &'_ [Signer], there: &'_ [Signer]| {
            let only = here.iter().filter(|signer| !there.contains(signer));
            only.map(|signer| signer_row(sign, signer))
                .collect::<Vec<_>>()
        };
        let added = only("+", &signers.b, &signers.a);
        let removed = only("-", &signers.a, &signers.b);
        added.into_iter().chain(removed)
    });
    Section::new("signers", &["", "KIND", "SIGNER", "ISSUER"], rows)
}

fn signer_row(sign: &str, signer: &Signer) -> Vec<Cell> {
    match signer {
        Signer::Key { id } => vec![own(sign), own("key"), name(id), own("")],
        Signer::Identity { subject, issuer } => {
            vec![own(sign), own("identity"), name(subject), name(issuer)]
        }
    }
}
