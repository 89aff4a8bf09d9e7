//! Copies an artifact from one store to another: push, pull and cp are this one call.
//!
//! ```text
//! cargo run --example 02_copy
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::Path;

use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, PlanOptions};
use modelctl::store::{Layout, Memory};
use modelctl::transfer::{self, CopyOptions};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp");

#[tokio::main]
async fn main() -> modelctl::Result<()> {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let plan = plan::build(Path::new(MODEL), &PlanOptions::default())?;
    let memory = Memory::new();
    pack::store(&plan, &memory, &PackOptions::default()).await?;

    // `transport::Client::repository` gives a registry's repository, which is a store like these.
    let layout = Layout::open_or_create(folder.path())?;
    let options = CopyOptions::default();
    let first = transfer::copy(&memory, &layout, &plan.manifest, &options).await?;
    let again = transfer::copy(&memory, &layout, &plan.manifest, &options).await?;
    println!(
        "first: {} blobs, {} bytes; again: {} blobs",
        first.copied, first.bytes, again.copied
    );
    assert_eq!(again.copied, 0, "what is there is not copied again");
    Ok(())
}
