//! Packs the example model into an OCI image layout, which skopeo and oras can read.
//!
//! `cargo run --example 01_pack`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::Path;

use modelctl::Result;
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, PlanOptions};
use modelctl::store::Layout;

/// The folder that is packed.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp");
/// What the artifact is called in the layout.
const TAG: &str = "v1";

#[tokio::main]
async fn main() -> Result<()> {
    let scratch = tempfile::tempdir().expect("a temporary folder can be made");

    // A plan reads and hashes, and writes nothing.
    let mut options = PlanOptions {
        name: Some("mlp".to_owned()),
        licenses: vec!["Apache-2.0".to_owned()],
        ..PlanOptions::default()
    };
    options.selection.exclude.push("*.py".to_owned());
    let plan = plan::build(Path::new(MODEL), &options)?;
    for layer in &plan.layers {
        let kind = layer.kind.as_str();
        println!("{kind:9} {:6} bytes  {}", layer.descriptor.size, layer.path);
    }
    println!("left out: {}", plan.left_out.join(", "));

    // The same call stores it in memory, on disk or in a registry. The name comes last.
    let layout = Layout::open_or_create(scratch.path())?;
    let report = pack::store(&plan, &layout, &PackOptions::default()).await?;
    layout.tag_as(&plan.manifest.descriptor(), TAG)?;
    println!("stored {} blobs as {TAG}", report.copied);
    println!("{}", plan.manifest.digest());
    Ok(())
}
