//! Packs the example model with a recorded smoke test, pulls it elsewhere, and runs the test there.
//!
//! `cargo run --example 04_run` with ONNX Runtime in `.venv`, in an active virtual environment, or
//! named by `ORT_DYLIB_PATH`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::{Path, PathBuf};

use modelctl::Result;
use modelctl::materialise::{PullOptions, pull};
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, PlanOptions, TestSet};
use modelctl::run::{
    Engine, LibrarySearch, RecordOptions, SmokeOptions, find_library, record, smoke_test,
};
use modelctl::store::Memory;

/// The folder that is packed.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp");
/// The graph in it.
const GRAPH: &str = "model.onnx";

#[tokio::main]
async fn main() -> Result<()> {
    let scratch = tempfile::tempdir().expect("a temporary folder can be made");
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let search = LibrarySearch {
        dylib_path: path("ORT_DYLIB_PATH"),
        virtual_env: path("VIRTUAL_ENV"),
        current_dir: std::env::current_dir().ok(),
        ..LibrarySearch::default()
    };
    let engine = Engine::load(&find_library(&search)?)?;
    println!("ONNX Runtime {}", engine.version());

    // The packer's side: seeded inputs, and what the model makes of them.
    let graphs = [GRAPH.parse().expect("a plain file name")];
    let source = (Path::new(MODEL), &graphs[..]);
    let recordings = record(engine, source, &RecordOptions::default(), scratch.path())?;
    let tests = recordings.into_iter();
    let options = PlanOptions {
        tests: tests
            .map(|set| TestSet::new(set.folder, Some(set.graph)))
            .collect(),
        ..PlanOptions::default()
    };
    let plan = plan::build(Path::new(MODEL), &options)?;
    let store = Memory::new();
    pack::store(&plan, &store, &PackOptions::default()).await?;

    // The other side: only a folder that was pulled or verified can be run.
    let target = scratch.path().join("pulled");
    let pulled = pull(&store, &plan.manifest, &target, &PullOptions::default()).await?;
    let folder = pulled.directory.expect("the whole model was pulled");
    let report = smoke_test(engine, &folder, &SmokeOptions::default())?;
    for case in &report.cases {
        let name = case.case.as_deref().unwrap_or("made inputs");
        println!("{name} of {}: {} µs", case.graph, case.micros);
    }
    report.verdict()?;
    println!("{} outputs are as recorded", report.compared());
    Ok(())
}
