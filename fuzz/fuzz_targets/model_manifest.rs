//! Any bytes, or a valid model manifest with some bytes exchanged → accepted or refused, never a
//! panic; what is accepted keeps the promises that other code relies on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::model::{MAX_NUMBER, ModelManifest, clash};

const VALID: &[u8] = include_bytes!("../../schema/samples/valid/split.json");

/// Reads the input as edits of a valid document: two bytes of position and one of content each.
fn edited(edits: &[u8]) -> Vec<u8> {
    let mut bytes = VALID.to_vec();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % bytes.len();
        bytes[at] = edit[2];
    }
    bytes
}

fuzz_target!(|input: &[u8]| {
    let bytes = match input.split_first() {
        Some((first, edits)) if first % 2 == 1 => edited(edits),
        _ => input.to_vec(),
    };
    let Ok(model) = ModelManifest::parse_alone(&bytes) else {
        return;
    };
    let layer = |index: u32| &model.layers[index as usize];
    for file in &model.files {
        let mut sum = 0;
        for extent in &file.extents {
            assert!(extent.length > 0);
            assert!(extent.offset + extent.length <= layer(extent.layer).size);
            sum += extent.length;
        }
        assert_eq!(sum, file.size);
    }
    for tensor in &model.tensors {
        assert!(tensor.offset + tensor.length <= layer(tensor.layer).size);
    }
    assert!(model.total_size() <= MAX_NUMBER);
    assert!(clash(model.files.iter().map(|file| &file.path)).is_none());
    assert!(clash(model.layers.iter().map(|layer| &layer.path)).is_none());
    // Reading what was written gives the same again.
    let written = model.to_bytes();
    let again = ModelManifest::parse_alone(&written).expect("it was accepted before");
    assert_eq!(again, model);
    assert_eq!(again.to_bytes(), written);
});
