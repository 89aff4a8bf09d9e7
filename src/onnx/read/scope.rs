//! Where in a model the walk is: a path that costs nothing until a tensor is found.

/// A part of the path and the parts before it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    outer: Option<&'a Scope<'a>>,
    part: &'a str,
}

impl<'a> Scope<'a> {
    /// The main graph.
    pub(super) const MAIN: Scope<'static> = Scope {
        outer: None,
        part: "",
    };

    /// A part below this one.
    pub(super) fn below(&'a self, part: &'a str) -> Scope<'a> {
        Scope {
            outer: Some(self),
            part,
        }
    }

    /// The parts joined by `/`; empty for the main graph.
    pub(super) fn render(&self) -> String {
        let Some(outer) = self.outer else {
            return String::new();
        };
        let mut path = outer.render();
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(self.part);
        path
    }
}

/// Where a message was found.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The path to it.
    pub(super) scope: &'a Scope<'a>,
    /// The frame of the enclosing message.
    pub(super) frame: Option<u32>,
    /// How many graphs enclose it.
    pub(super) depth: u32,
    /// Whether ONNX Runtime and onnx follow external data here. They do not in training
    /// information, attribute defaults and sparse tensors.
    pub(super) movable: bool,
    /// Whether inference runs the operators found here.
    pub(super) runs: bool,
}
