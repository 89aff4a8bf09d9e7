//! Any bytes → read or refused, never a panic; what is read lies in the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::onnx::{Content, is_onnx, read};

fuzz_target!(|bytes: &[u8]| {
    let recognised = is_onnx(&bytes);
    let Ok(model) = read(&bytes) else {
        return;
    };
    // A probe may be stricter than the reader, and must not be slower or die.
    std::hint::black_box(recognised);
    for tensor in &model.tensors {
        match &tensor.content {
            Content::Inline { offset, length } => {
                assert!(offset + length <= bytes.len() as u64);
                assert_eq!(tensor.data_type.byte_length(&tensor.shape), Some(*length));
            }
            Content::External {
                location, length, ..
            } => {
                assert!(!location.is_empty() && !location.starts_with('/'));
                assert!(
                    location
                        .split('/')
                        .all(|part| !["", ".", ".."].contains(&part))
                );
                assert!(!location.contains(['\0', '\\']));
                assert_eq!(tensor.data_type.byte_length(&tensor.shape), Some(*length));
            }
            Content::Bound => assert!(!tensor.can_leave()),
        }
    }
});
