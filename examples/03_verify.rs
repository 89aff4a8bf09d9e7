//! Writes an artifact's files into a folder, changes one, and verifies the folder.
//!
//! ```text
//! cargo run --example 03_verify
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::Path;

use modelctl::materialise::{self, PullOptions};
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, PlanOptions};
use modelctl::store::Memory;
use modelctl::verify;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp");

#[tokio::main]
async fn main() -> modelctl::Result<()> {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let plan = plan::build(Path::new(MODEL), &PlanOptions::default())?;
    let store = Memory::new();
    pack::store(&plan, &store, &PackOptions::default()).await?;

    // All or nothing: the folder has its name only when every blob was verified.
    let target = folder.path().join("mlp");
    materialise::pull(&store, &plan.manifest, &target, &PullOptions::default()).await?;

    let graph = target.join("model.onnx");
    let mut bytes = std::fs::read(&graph).expect("the graph was written");
    bytes[100] ^= 1;
    std::fs::write(&graph, bytes).expect("the graph can be written");
    let report = verify::directory(&target)?;
    for finding in &report.findings {
        println!("{finding}");
    }
    assert!(
        report.directory.is_none(),
        "a changed folder is not a verified one"
    );
    Ok(())
}
