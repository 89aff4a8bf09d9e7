//! Which shapes to try: an interface → one shape for each input, several times over.
//!
//! Equal symbols are equal lengths; every unknown dimension is a variable of its own. The first
//! dimension of a matrix or more is taken for the batch and stays 1 at first.

use std::collections::BTreeMap;

use crate::onnx::{Dim, ValueInfo};

/// The lengths that open dimensions are given: a scalar, a few, a block, and the usual sides of
/// images.
const LENGTHS: [u64; 6] = [1, 8, 64, 224, 256, 640];
/// The most elements of all inputs together: what keeps a guess from filling the memory.
const MAX_ELEMENTS: u64 = 1 << 24;

/// One shape for each input, in the order of the inputs.
pub(super) type Shapes = Vec<Vec<u64>>;

/// A dimension that is not fixed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Variable<'a> {
    Symbol(&'a str),
    /// Input and position.
    Unknown(usize, usize),
}

/// The sets of shapes to try, most likely first. Fails, as the rest of a sentence about the graph,
/// where a given shape does not fit or a rank is unknown.
pub(super) fn candidates(
    inputs: &[ValueInfo],
    given: &BTreeMap<String, Vec<u64>>,
) -> Result<Vec<Shapes>, String> {
    let mut bound = BTreeMap::new();
    for (name, shape) in given {
        let index = inputs.iter().position(|input| input.name == *name);
        let index = index.ok_or_else(|| format!("no input `{name}` to give a shape to"))?;
        bind(&inputs[index], index, shape, &mut bound)?;
    }
    for input in inputs {
        if input.shape.is_none() && !given.contains_key(&input.name) {
            let name = &input.name;
            return Err(format!(
                "input `{name}` has no rank: give its shape with `--shape {name}=1,3,64,64`"
            ));
        }
    }
    let open = variables(inputs, &bound);
    let mut tries: Vec<Shapes> = Vec::new();
    for lengths in assignments(inputs, &open) {
        let mut all = bound.clone();
        all.extend(open.iter().cloned().zip(lengths));
        let shapes: Shapes = (0..inputs.len())
            .map(|index| shape_of(inputs, index, given, &all))
            .collect();
        if elements(&shapes) <= MAX_ELEMENTS && !tries.contains(&shapes) {
            tries.push(shapes);
        }
    }
    Ok(tries)
}

/// Takes over a given shape, and with it the lengths of its symbols in other inputs.
fn bind<'a>(
    input: &'a ValueInfo,
    index: usize,
    shape: &[u64],
    bound: &mut BTreeMap<Variable<'a>, u64>,
) -> Result<(), String> {
    let Some(dims) = &input.shape else {
        return Ok(());
    };
    let name = &input.name;
    if dims.len() != shape.len() {
        let (expected, actual) = (dims.len(), shape.len());
        return Err(format!(
            "input `{name}` has {expected} dimensions, but `--shape` gives {actual}"
        ));
    }
    for (position, (dim, length)) in dims.iter().zip(shape).enumerate() {
        let known = match dim {
            Dim::Fixed(fixed) => *fixed,
            _ => *bound
                .entry(variable(dim, index, position))
                .or_insert(*length),
        };
        if known != *length {
            return Err(format!(
                "dimension {position} of input `{name}` is {known}, but `--shape` gives {length}"
            ));
        }
    }
    Ok(())
}

fn variable(dim: &Dim, input: usize, position: usize) -> Variable<'_> {
    match dim {
        Dim::Symbol(symbol) => Variable::Symbol(symbol),
        Dim::Fixed(_) | Dim::Unknown => Variable::Unknown(input, position),
    }
}

/// The variables that no given shape has bound, in the order of the inputs.
fn variables<'a>(
    inputs: &'a [ValueInfo],
    bound: &BTreeMap<Variable<'a>, u64>,
) -> Vec<Variable<'a>> {
    let mut open = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        for (position, dim) in input.shape.iter().flatten().enumerate() {
            let variable = variable(dim, index, position);
            let fixed = matches!(dim, Dim::Fixed(_));
            if !fixed && !bound.contains_key(&variable) && !open.contains(&variable) {
                open.push(variable);
            }
        }
    }
    open
}

/// Lengths for the variables: with a batch of 1 all the same, then mixed, small ones first; at last
/// the batch as long as the others.
fn assignments(inputs: &[ValueInfo], open: &[Variable<'_>]) -> Vec<Vec<u64>> {
    let batch: Vec<bool> = open
        .iter()
        .map(|variable| is_batch(inputs, variable))
        .collect();
    let others: Vec<usize> = (0..open.len()).filter(|index| !batch[*index]).collect();
    let single = |length: u64| {
        let lengths = batch.iter().map(|batch| if *batch { 1 } else { length });
        lengths.collect()
    };
    let mut all: Vec<Vec<u64>> = LENGTHS.iter().map(|length| single(*length)).collect();
    // Beyond three variables there are too many combinations to guess.
    if (2..=3).contains(&others.len()) {
        all.extend(mixed(open.len(), &others));
    }
    all.extend(LENGTHS.iter().map(|length| vec![*length; open.len()]));
    all
}

/// Every combination of lengths for some variables, 1 for the others, small ones first.
fn mixed(variables: usize, some: &[usize]) -> Vec<Vec<u64>> {
    let mut all: Vec<Vec<u64>> = vec![vec![1; variables]];
    for index in some {
        let with = |lengths: &Vec<u64>, length| {
            let mut lengths = lengths.clone();
            lengths[*index] = length;
            lengths
        };
        all = all
            .iter()
            .flat_map(|lengths| LENGTHS.map(|length| with(lengths, length)))
            .collect();
    }
    all.sort_by_key(|lengths| lengths.iter().product::<u64>());
    all
}

/// Whether a variable is the batch: by its name, or by being the first dimension of several.
fn is_batch(inputs: &[ValueInfo], variable: &Variable<'_>) -> bool {
    let first_of_several = |index: usize| {
        let dims = inputs[index].shape.as_ref();
        dims.is_some_and(|dims| dims.len() > 1)
    };
    match variable {
        Variable::Unknown(input, position) => *position == 0 && first_of_several(*input),
        Variable::Symbol(symbol) => {
            let symbol_is = |dim: &Dim| matches!(dim, Dim::Symbol(name) if name == symbol);
            let leads = |index: usize| {
                let dims = inputs[index].shape.iter().flatten();
                first_of_several(index) && dims.take(1).any(symbol_is)
            };
            let later = inputs.iter().any(|input| {
                let dims = input.shape.iter().flatten();
                dims.skip(1).any(symbol_is)
            });
            symbol.to_ascii_lowercase().contains("batch")
                || ((0..inputs.len()).any(leads) && !later)
        }
    }
}

fn shape_of(
    inputs: &[ValueInfo],
    index: usize,
    given: &BTreeMap<String, Vec<u64>>,
    lengths: &BTreeMap<Variable<'_>, u64>,
) -> Vec<u64> {
    let input = &inputs[index];
    if let Some(shape) = given.get(&input.name) {
        return shape.clone();
    }
    let dims = input.shape.iter().flatten().enumerate();
    dims.map(|(position, dim)| match dim {
        Dim::Fixed(fixed) => *fixed,
        _ => lengths
            .get(&variable(dim, index, position))
            .copied()
            .unwrap_or(1),
    })
    .collect()
}

/// The elements of all shapes together, saturating.
fn elements(shapes: &[Vec<u64>]) -> u64 {
    let each = shapes.iter().map(|shape| {
        let mut dims = shape.iter();
        dims.try_fold(1u64, |product, dim| product.checked_mul(*dim))
            .unwrap_or(u64::MAX)
    });
    each.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, dims: &[Dim]) -> ValueInfo {
        ValueInfo {
            name: name.to_owned(),
            dtype: "float".to_owned(),
            shape: Some(dims.to_vec()),
        }
    }

    fn symbol(name: &str) -> Dim {
        Dim::Symbol(name.to_owned())
    }

    fn shapes(inputs: &[ValueInfo]) -> Vec<Shapes> {
        candidates(inputs, &BTreeMap::new()).unwrap()
    }

    #[test]
    fn a_fixed_interface_is_tried_once() {
        let inputs = [
            input("x", &[Dim::Fixed(1), Dim::Fixed(10)]),
            input("s", &[]),
        ];
        assert_eq!(shapes(&inputs), [vec![vec![1, 10], vec![]]]);
    }

    #[test]
    fn the_batch_stays_one_while_the_sides_grow() {
        let image = [symbol("N"), Dim::Fixed(3), symbol("H"), symbol("W")];
        let tried = shapes(&[input("x", &image)]);
        let sides: Vec<&Vec<u64>> = tried.iter().map(|shapes| &shapes[0]).take(7).collect();
        let expected = [1, 8, 64, 224, 256, 640].map(|side| vec![1, 3, side, side]);
        assert_eq!(sides[..6], expected.iter().collect::<Vec<_>>());
        assert_eq!(sides[6], &[1, 3, 1, 8]);
        assert_eq!(
            tried.last().unwrap(),
            &[[64, 3, 64, 64]].map(Vec::from).to_vec()
        );
    }

    #[test]
    fn equal_symbols_are_equal_lengths() {
        let inputs = [
            input("ids", &[symbol("batch"), symbol("seq")]),
            input("mask", &[symbol("batch"), symbol("seq")]),
        ];
        let tried = shapes(&inputs);
        assert!(tried.iter().all(|shapes| shapes[0] == shapes[1]));
        assert_eq!(tried[1][0], [1, 8]);
    }

    #[test]
    fn a_given_shape_binds_its_symbols_everywhere() {
        let inputs = [
            input("ids", &[symbol("batch"), symbol("seq")]),
            input("mask", &[symbol("batch"), symbol("seq")]),
        ];
        let given = |shape: &[u64]| BTreeMap::from([("ids".to_owned(), shape.to_vec())]);
        let tried = candidates(&inputs, &given(&[2, 16])).unwrap();
        assert_eq!(tried, [vec![vec![2, 16], vec![2, 16]]]);
        assert_eq!(
            candidates(&inputs, &given(&[2])).unwrap_err(),
            "input `ids` has 2 dimensions, but `--shape` gives 1"
        );
        let square = [input("ids", &[symbol("n"), symbol("n")])];
        assert_eq!(
            candidates(&square, &given(&[2, 3])).unwrap_err(),
            "dimension 1 of input `ids` is 2, but `--shape` gives 3"
        );
        assert_eq!(
            candidates(&square, &BTreeMap::from([("x".to_owned(), vec![])])).unwrap_err(),
            "no input `x` to give a shape to"
        );
    }

    /// Security row A54: a guess never asks for more than the memory holds.
    #[test]
    fn huge_guesses_are_left_out() {
        let cube = [symbol("a"), symbol("b"), symbol("c"), symbol("d")];
        let cube: Vec<Dim> = [Dim::Fixed(1)].into_iter().chain(cube).collect();
        let tried = shapes(&[input("x", &cube)]);
        assert_eq!(tried.len(), 3, "1, 8 and 64 to the power of 4");
        let fixed = [input("x", &[Dim::Fixed(u64::MAX), Dim::Fixed(2)])];
        assert!(shapes(&fixed).is_empty());
    }
}
