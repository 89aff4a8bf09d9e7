//! The whole comparison.

use serde::Serialize;

use super::side::signers;
use super::{
    About, CaseChange, Delta, DropIn, FileChange, FileEntry, GraphChange, InterfaceChange, Side,
    Signers, TensorChange, TensorEntry, Upgrade, about, cases, files, graphs, interface, tensors,
    upgrade,
};

/// What changed from A to B, the interface first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Whether anything differs. Of two artifacts the digests decide.
    pub differs: bool,
    /// Whether B can take the place of A.
    pub drop_in: DropIn,
    /// What changed in the interfaces, what breaks first.
    pub interface: Vec<InterfaceChange>,
    /// What changed inside the graphs that both have.
    pub graphs: Vec<GraphChange>,
    /// What changed in the tensors.
    pub tensors: Delta<TensorEntry, TensorChange>,
    /// What changed in the files.
    pub files: Delta<FileEntry, FileChange>,
    /// What is said otherwise about the model.
    pub about: Vec<About>,
    /// What changed in the smoke tests.
    pub tests: Vec<CaseChange>,
    /// Who signed; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signers: Option<Signers>,
    /// What an upgrade from A to B moves; absent where B is a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,
}

/// Compares two versions of a model, or two models. Artifacts with one digest are the same at once,
/// whatever is known of their models.
pub fn between(a: &Side<'_>, b: &Side<'_>) -> Difference {
    let same = a.digest().filter(|digest| Some(*digest) == b.digest());
    let (drop_in, interface) = match same {
        Some(_) => (DropIn::Yes, Vec::new()),
        None => interface::compare(a, b),
    };
    let mut difference = Difference {
        differs: false,
        drop_in,
        interface,
        graphs: graphs::compare(a, b),
        tensors: tensors::compare(a, b),
        files: files::compare(a, b),
        about: about::compare(a, b),
        tests: cases::compare(a, b),
        signers: signers(a, b),
        upgrade: upgrade::upgrade(a, b),
    };
    difference.differs = match (a.digest(), b.digest()) {
        (Some(a), Some(b)) => a != b,
        _ => difference.has_changes() || a.model() != b.model(),
    };
    difference
}

impl Difference {
    /// Whether a change of the model can be named. Artifacts can differ without one: by their
    /// signatures, or by the layers that the same files are in.
    pub fn has_changes(&self) -> bool {
        let lists = self.interface.is_empty() && self.graphs.is_empty() && self.tests.is_empty();
        let deltas = self.tensors.is_empty() && self.files.is_empty();
        !(lists && deltas && self.about.is_empty())
    }
}
