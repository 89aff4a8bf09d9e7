//! What verified layers say about the files and tensors in them.

use super::ranges::What;
use super::{Check, Code, Finding};
use crate::model::{File, ModelManifest, Tensor};

/// What is known of the layers of a model.
pub(super) struct Shown {
    /// Of each layer, whether it is what it should be.
    pub(super) sound: Vec<bool>,
    /// Of ranges of sound layers, whether they have the SHA-256 that they should have.
    pub(super) ranges: Vec<(What, bool)>,
}

impl Shown {
    /// Of each file, whether it has its SHA-256, where that can be said: of one that is made of
    /// several ranges it cannot.
    pub(super) fn files(&self, model: &ModelManifest) -> Vec<Option<bool>> {
        let known = model.files.iter().map(|file| {
            // The rules of the manifest have compared these digests.
            let implied = model.whole_layer(file).is_some() || file.extents.is_empty();
            (implied && self.has_layers(file)).then_some(true)
        });
        let mut known: Vec<Option<bool>> = known.collect();
        for (what, right) in &self.ranges {
            if let What::File(index) = what {
                known[*index] = Some(*right);
            }
        }
        known
    }

    /// Whether every layer that a file is made of is sound.
    pub(super) fn has_layers(&self, file: &File) -> bool {
        file.extents
            .iter()
            .all(|extent| self.sound[extent.layer as usize])
    }

    /// One finding for all tensors that are right, and one for each that is not.
    pub(super) fn tensors(&self, model: &ModelManifest) -> Vec<Finding> {
        let (mut right, mut findings) = (0usize, Vec::new());
        for (what, is_right) in &self.ranges {
            match what {
                What::Tensor(_) if *is_right => right += 1,
                What::Tensor(index) => {
                    let subject = name(&model.tensors[*index]);
                    let finding = Finding::new(Check::Tensor, subject, Code::Mismatch);
                    findings.push(finding.because("its bytes have another SHA-256"));
                }
                What::File(_) => {}
            }
        }
        if right > 0 {
            let subject = format!("{right} of {} tensors", model.tensors.len());
            let finding = Finding::new(Check::Tensor, subject, Code::Verified);
            findings.push(finding.because("those with a SHA-256 of their own"));
        }
        findings
    }
}

fn name(tensor: &Tensor) -> String {
    let scope = match tensor.scope.as_str() {
        "" => String::new(),
        scope => format!("{scope}/"),
    };
    format!("{}: {scope}{}", tensor.graph, tensor.name)
}

/// What is found of a file.
pub(super) fn file(file: &File, right: Option<bool>) -> Finding {
    let finding = |code| Finding::new(Check::File, file.path.as_str(), code);
    match right {
        Some(true) => finding(Code::Verified),
        Some(false) => {
            finding(Code::Mismatch).because(format!("its SHA-256 is not {}", file.sha256.hex()))
        }
        None => finding(Code::Indirect).because(format!(
            "it is made of {} ranges of layers: their findings count",
            file.extents.len()
        )),
    }
}
