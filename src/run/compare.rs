//! Two tensors → how far they are apart, by NumPy's rule.

use serde::Serialize;

use super::Tensor;

/// How far a computed value may be from the expected one: `|a − e| ≤ atol + rtol · |e|`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tolerance {
    /// Relative to the expected value.
    pub rtol: f64,
    /// Absolute.
    pub atol: f64,
}

impl Default for Tolerance {
    /// 1e-3 relative, 1e-5 absolute: what processors and versions of ONNX Runtime differ by.
    fn default() -> Self {
        Self {
            rtol: 1e-3,
            atol: 1e-5,
        }
    }
}

/// How a computed output compares with the expected one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum Comparison {
    /// Dtype and shape are the same, and no element is further away than the tolerance. Integers,
    /// booleans and strings must be equal.
    Equal(Errors),
    /// Some elements are too far away.
    Different(Errors),
    /// The element types differ.
    Dtype {
        /// As stored.
        expected: &'static str,
        /// As computed.
        actual: &'static str,
    },
    /// The shapes differ.
    Shape {
        /// As stored.
        expected: Vec<u64>,
        /// As computed.
        actual: Vec<u64>,
    },
}

/// The largest errors over all elements.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Errors {
    /// How many elements there are.
    pub elements: u64,
    /// How many are further away than the tolerance.
    pub differing: u64,
    /// The largest `|a − e|`; `null` in JSON where it is infinite (NaN or infinity against a number).
    pub largest_absolute: f64,
    /// The largest `|a − e| / |e|` over elements that are not both 0.
    pub largest_relative: f64,
    /// The index of the element with the largest absolute error, where any has one.
    pub worst: Option<u64>,
}

impl Comparison {
    /// Whether the outputs count as the same.
    pub fn is_equal(&self) -> bool {
        matches!(self, Self::Equal(_))
    }
}

/// Compares a computed tensor with the expected one. NaN equals NaN, and infinities of one sign
/// equal each other, since a recorded output that has them must be reproduced.
pub fn compare(actual: &Tensor, expected: &Tensor, tolerance: Tolerance) -> Comparison {
    if actual.dtype() != expected.dtype() {
        return Comparison::Dtype {
            expected: expected.dtype().name(),
            actual: actual.dtype().name(),
        };
    }
    if actual.shape() != expected.shape() {
        return Comparison::Shape {
            expected: expected.shape().to_vec(),
            actual: actual.shape().to_vec(),
        };
    }
    let mut errors = Errors::none(actual.elements());
    if let (Some(actual), Some(expected)) = (actual.floats(), expected.floats()) {
        for (index, (actual, expected)) in actual.zip(expected).enumerate() {
            let allowed = tolerance.atol + tolerance.rtol * expected.abs();
            let distance = distance(actual, expected);
            errors.add(index, distance, expected.abs(), allowed);
        }
    } else {
        exact(&mut errors, actual, expected);
    }
    if errors.differing == 0 {
        Comparison::Equal(errors)
    } else {
        Comparison::Different(errors)
    }
}

impl Errors {
    fn none(elements: u64) -> Self {
        Self {
            elements,
            differing: 0,
            largest_absolute: 0.0,
            largest_relative: 0.0,
            worst: None,
        }
    }

    /// Takes an element into account: its distance from the expected value of this magnitude.
    fn add(&mut self, index: usize, distance: f64, magnitude: f64, allowed: f64) {
        if distance == 0.0 {
            return;
        }
        if distance > self.largest_absolute {
            self.largest_absolute = distance;
            self.worst = Some(index as u64);
        }
        let relative = distance / magnitude;
        // ∞ / ∞ is NaN: an infinity that was not reproduced.
        let relative = if relative.is_nan() {
            f64::INFINITY
        } else {
            relative
        };
        self.largest_relative = self.largest_relative.max(relative);
        // An infinite expectation allows nothing but itself, whatever the tolerance.
        if !distance.is_finite() || distance > allowed {
            self.differing += 1;
        }
    }
}

/// `|a − e|`: 0 for two NaNs and equal infinities, infinite for NaN or infinity against a number.
fn distance(actual: f64, expected: f64) -> f64 {
    if actual == expected || (actual.is_nan() && expected.is_nan()) {
        return 0.0;
    }
    let distance = (actual - expected).abs();
    if distance.is_nan() {
        f64::INFINITY
    } else {
        distance
    }
}

/// Integers, booleans, strings and what has no arithmetic here: equal or not.
fn exact(errors: &mut Errors, actual: &Tensor, expected: &Tensor) {
    if let (Some(actual), Some(expected)) = (actual.strings(), expected.strings()) {
        for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
            let distance = if actual == expected { 0.0 } else { 1.0 };
            errors.add(index, distance, 0.0, 0.0);
        }
        return;
    }
    let (Some(a), Some(e)) = (actual.bytes(), expected.bytes()) else {
        return;
    };
    // Sub-byte elements are compared by the byte.
    let width = (actual.dtype().bits().unwrap_or(8).max(8) / 8) as usize;
    let signed = actual.dtype().name().starts_with("int");
    let elements = a.chunks_exact(width).zip(e.chunks_exact(width));
    for (index, (a, e)) in elements.enumerate() {
        let (a, e) = (integer(a, signed), integer(e, signed));
        errors.add(index, a.abs_diff(e) as f64, e.unsigned_abs() as f64, 0.0);
    }
}

/// A little-endian integer of up to 16 bytes.
fn integer(bytes: &[u8], signed: bool) -> i128 {
    let negative = signed && bytes.last().is_some_and(|top| top & 0x80 != 0);
    let mut word = [if negative { 0xff } else { 0 }; 16];
    word[..bytes.len()].copy_from_slice(bytes);
    i128::from_le_bytes(word)
}

#[cfg(test)]
mod tests;
