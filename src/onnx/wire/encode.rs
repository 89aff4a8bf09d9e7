//! Wire records written: numbers and bytes → protobuf.

/// Appends a number.
pub(crate) fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a field that holds a number.
pub(crate) fn number_field(out: &mut Vec<u8>, field: u32, number: u64) {
    varint(out, u64::from(field) << 3);
    varint(out, number);
}

/// Appends the tag and the length of a field that holds bytes.
pub(crate) fn bytes_header(out: &mut Vec<u8>, field: u32, length: u64) {
    varint(out, u64::from(field) << 3 | 2);
    varint(out, length);
}

/// Appends a field that holds bytes.
pub(crate) fn bytes_field(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    bytes_header(out, field, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
