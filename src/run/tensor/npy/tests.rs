use super::*;
use crate::onnx::DataType;

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
}

fn array(descr: &str, shape: &str, data: &[u8]) -> Result<Tensor, TensorError> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    decode_npy(&npy(&header, data))
}

/// The bytes of `numpy.save(f, np.float32([[1, -2]]))`.
#[test]
fn what_is_written_is_what_numpy_writes() {
    let tensor = Tensor::new(DataType::FLOAT, vec![1, 2], {
        vec![0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
    })
    .unwrap();
    let bytes = encode_npy(&tensor).unwrap();
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
    let expected = npy(&format!("{text:<117}\n"), tensor.bytes().unwrap());
    assert_eq!(bytes, expected);
    assert_eq!(bytes.len(), 128 + 8);
    assert_eq!(decode_npy(&bytes).unwrap(), tensor);
}

#[test]
fn scalars_vectors_and_strings_survive_a_round_trip() {
    let scalar = Tensor::new(DataType::DOUBLE, vec![], 3f64.to_le_bytes().to_vec()).unwrap();
    let vector = Tensor::new(DataType::BOOL, vec![3], vec![1, 0, 1]).unwrap();
    let empty = Tensor::new(DataType::INT64, vec![0, 2], vec![]).unwrap();
    let words = vec!["a".to_owned(), "éé".to_owned(), String::new()];
    let strings = Tensor::from_strings(vec![3], words).unwrap();
    for tensor in [scalar, vector, empty, strings] {
        let bytes = encode_npy(&tensor).unwrap();
        assert_eq!(decode_npy(&bytes).unwrap(), tensor);
    }
}

#[test]
fn big_endian_and_fortran_order_are_turned_round() {
    let big = array(">i2", "(2,)", &[0, 1, 0, 2]).unwrap();
    assert_eq!(big.bytes().unwrap(), [1, 0, 2, 0]);
    let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}";
    let fortran = decode_npy(&npy(header, &[1, 4, 2, 5, 3, 6])).unwrap();
    assert_eq!(fortran.bytes().unwrap(), [1, 2, 3, 4, 5, 6]);
    let bytes = array("|S3", "(2,)", b"ab\0xyz").unwrap();
    assert_eq!(bytes.strings().unwrap(), ["ab", "xyz"]);
}

#[test]
fn types_that_numpy_lacks_are_not_written() {
    let brain = DataType::from_name("bfloat16").unwrap();
    assert_eq!(
        encode_npy(&Tensor::new(brain, vec![1], vec![0, 0]).unwrap()),
        None
    );
}

/// A pickle in a `.npy` would run code: security section B1.
#[test]
fn what_is_not_a_plain_array_is_refused() {
    for (descr, shape, data, why) in [
        (
            "|O",
            "(1,)",
            &b"\x80\x04."[..],
            "an array of Python objects (a pickle) is not supported",
        ),
        (
            "<m8[s]",
            "(1,)",
            &[0; 8],
            "NumPy type `<m8[s]` is not supported",
        ),
        ("|V2", "(1,)", &[0; 2], "NumPy type `|V2` is not supported"),
        ("f4", "(1,)", &[0; 4], "not a .npy file: unknown type `f4`"),
        ("<U0", "(1,)", &[], "not a .npy file: unknown type `<U0`"),
        (
            "<U4611686018427387904",
            "(0,)",
            &[],
            "not a .npy file: unknown type `<U4611686018427387904`",
        ),
        (
            "<f4",
            "(2,)",
            &[0; 4],
            "not a .npy file: 4 bytes of data, but its shape [2] takes 8",
        ),
        (
            "<f4",
            "(1,)",
            &[0; 5],
            "not a .npy file: 5 bytes of data, but its shape [1] takes 4",
        ),
        (
            "<f4",
            "(4294967296, 4294967296)",
            &[],
            "not a .npy file: 0 bytes of data, but its shape [4294967296, 4294967296] takes more than can be held",
        ),
        (
            "<f4",
            "(-1,)",
            &[],
            "not a .npy file: a dimension is not a number",
        ),
        (
            "<U1",
            "(1,)",
            &[0, 0xd8, 0, 0],
            "not a .npy file: a string is not Unicode",
        ),
    ] {
        assert_eq!(array(descr, shape, data).unwrap_err().to_string(), why);
    }
    let records = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }";
    assert_eq!(
        decode_npy(&npy(records, &[0; 4])).unwrap_err().to_string(),
        "an array of records is not supported"
    );
}

#[test]
fn broken_headers_are_refused() {
    for (header, why) in [
        (
            "{'descr': '<f4', 'shape': ()}",
            "the header has no `fortran_order`",
        ),
        (
            "{'descr': '<f4', 'descr': '<f8'}",
            "unexpected key `descr` in the header",
        ),
        ("{'x': 1}", "unexpected key `x` in the header"),
        ("{descr: '<f4'}", "a name in the header has no quotes"),
        (
            "{'shape': (1,)} + os.getcwd()",
            "text behind the header's dictionary",
        ),
        ("{'fortran_order': 1}", "expected `False` in the header"),
        ("", "expected `{` in the header"),
    ] {
        let why = format!("not a .npy file: {why}");
        assert_eq!(decode_npy(&npy(header, &[])).unwrap_err().to_string(), why);
    }
    let good = npy(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
        &[0; 4],
    );
    for cut in 0..good.len() {
        assert!(decode_npy(&good[..cut]).is_err(), "cut at {cut}");
    }
}
