//! What a graph takes, and whether it is given that: a mistake is named by its input, before ONNX
//! Runtime says something about it.

use super::Tensor;
use crate::onnx::{DataType, Dim, ValueInfo};

/// Checks inputs against an interface: every one given, once, and fitting. The error is the rest of
/// a sentence about the graph.
pub(super) fn accepts(interface: &[ValueInfo], inputs: &[(String, Tensor)]) -> Result<(), String> {
    for (name, tensor) in inputs {
        let input = interface.iter().find(|input| input.name == *name);
        let input = input.ok_or_else(|| {
            let known: Vec<&str> = interface.iter().map(|input| &*input.name).collect();
            format!("no input `{name}`: expected `{}`", known.join("`, `"))
        })?;
        fits(input, tensor).map_err(|what| format!("input `{name}` {what}"))?;
    }
    for input in interface {
        match inputs
            .iter()
            .filter(|(name, _)| *name == input.name)
            .count()
        {
            1 => {}
            0 => return Err(format!("input `{}` is missing", input.name)),
            _ => return Err(format!("input `{}` is given twice", input.name)),
        }
    }
    Ok(())
}

/// Whether a value is a dense tensor: what its dtype names is an element type.
pub(super) fn is_tensor(value: &ValueInfo) -> bool {
    DataType::from_name(&value.dtype).is_some()
}

/// Why a tensor is not one for this input, as the rest of a sentence.
fn fits(input: &ValueInfo, tensor: &Tensor) -> Result<(), String> {
    let dtype = tensor.dtype().name();
    if !is_tensor(input) {
        return Err(format!("is a {}: only tensors can be given", input.dtype));
    }
    if dtype != input.dtype {
        return Err(format!("is {dtype}, expected {}", input.dtype));
    }
    let Some(dims) = &input.shape else {
        return Ok(());
    };
    let shape = tensor.shape();
    let same = |(dim, actual): (&Dim, &u64)| match dim {
        Dim::Fixed(fixed) => fixed == actual,
        Dim::Symbol(_) | Dim::Unknown => true,
    };
    if dims.len() == shape.len() && dims.iter().zip(shape).all(same) {
        return Ok(());
    }
    let expected = written(dims);
    Err(format!("has the shape {shape:?}, expected {expected}"))
}

/// A shape as people write it: `[N, 3, ?]`.
fn written(dims: &[Dim]) -> String {
    let dims = dims.iter().map(|dim| match dim {
        Dim::Fixed(fixed) => fixed.to_string(),
        Dim::Symbol(symbol) => symbol.clone(),
        Dim::Unknown => "?".to_owned(),
    });
    format!("[{}]", dims.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface() -> [ValueInfo; 2] {
        let image = [Dim::Symbol("N".to_owned()), Dim::Fixed(3), Dim::Unknown];
        [
            ("image", "float", Some(image.to_vec())),
            ("names", "sequence", None),
        ]
        .map(|(name, dtype, shape)| ValueInfo {
            name: name.to_owned(),
            dtype: dtype.to_owned(),
            shape,
        })
    }

    fn floats(shape: &[u64]) -> Tensor {
        let count: u64 = shape.iter().product();
        Tensor::new(DataType::FLOAT, shape.to_vec(), vec![0; 4 * count as usize]).unwrap()
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let interface = interface();
        let bytes = Tensor::new(DataType::BOOL, vec![1], vec![0]).unwrap();
        let refusal = |inputs: &[(&str, &Tensor)]| {
            let inputs: Vec<(String, Tensor)> = inputs
                .iter()
                .map(|(name, tensor)| ((*name).to_owned(), (*tensor).clone()))
                .collect();
            accepts(&interface[..1], &inputs).map_err(|what| what.to_string())
        };
        let good = floats(&[2, 3, 5]);
        assert_eq!(refusal(&[("image", &good)]), Ok(()));
        for (inputs, why) in [
            (&[("x", &good)][..], "no input `x`: expected `image`"),
            (&[], "input `image` is missing"),
            (
                &[("image", &good), ("image", &good)],
                "input `image` is given twice",
            ),
            (
                &[("image", &bytes)],
                "input `image` is bool, expected float",
            ),
            (
                &[("image", &floats(&[2, 4, 5]))],
                "input `image` has the shape [2, 4, 5], expected [N, 3, ?]",
            ),
            (
                &[("image", &floats(&[2, 3]))],
                "input `image` has the shape [2, 3], expected [N, 3, ?]",
            ),
        ] {
            assert_eq!(refusal(inputs).unwrap_err(), why);
        }
        assert_eq!(
            accepts(&interface[1..], &[("names".to_owned(), bytes)]).unwrap_err(),
            "input `names` is a sequence: only tensors can be given"
        );
    }
}
