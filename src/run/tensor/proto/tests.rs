use super::*;

fn message(fields: &[(u64, &[u8])], data_type: u64, dims: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    for dim in dims {
        put_varint_field(&mut out, 1, *dim);
    }
    put_varint_field(&mut out, 2, data_type);
    for (number, bytes) in fields {
        put_bytes(&mut out, *number, bytes);
    }
    out
}

fn decode(bytes: &[u8]) -> Result<Tensor, TensorError> {
    decode_proto(bytes).map(|(_, tensor)| tensor)
}

/// The bytes that `onnx.numpy_helper.from_array(np.float32([[1, -2]]), "x")` serialises to.
#[test]
fn what_is_written_is_what_python_onnx_writes() {
    let tensor = Tensor::new(DataType::FLOAT, vec![1, 2], {
        vec![0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
    })
    .unwrap();
    let bytes = encode_proto("x", &tensor);
    assert_eq!(
        hex::encode(&bytes),
        "0801080210014201784a080000803f000000c0"
    );
    assert_eq!(decode_proto(&bytes).unwrap(), ("x".to_owned(), tensor));
}

#[test]
fn typed_fields_are_read_in_the_width_of_their_type() {
    // int32_data carries every integer of up to 32 bits, booleans and 16-bit floats as bits.
    let int8 = decode(&message(
        &[(
            5,
            &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        )],
        3,
        &[2],
    ));
    assert_eq!(int8.unwrap().bytes().unwrap(), [1, 0xff]);
    let half = decode(&message(&[(5, &[0x80, 0x78])], 10, &[]));
    assert_eq!(half.unwrap().floats().unwrap().next(), Some(1.0));
    let flags = decode(&message(&[(5, &[1, 0, 1])], 9, &[3]));
    assert_eq!(flags.unwrap().bytes().unwrap(), [1, 0, 1]);
    let long = decode(&message(&[(7, &[0xac, 2])], 7, &[1]));
    assert_eq!(long.unwrap().bytes().unwrap(), 300u64.to_le_bytes());
    let float = decode(&message(&[(4, &1.5f32.to_le_bytes())], 1, &[1]));
    assert_eq!(float.unwrap().floats().unwrap().next(), Some(1.5));
    let double = decode(&message(&[(10, &2.5f64.to_le_bytes())], 11, &[1]));
    assert_eq!(double.unwrap().floats().unwrap().next(), Some(2.5));
    let text = decode(&message(&[(6, b"a"), (6, "é".as_bytes())], 8, &[2]));
    assert_eq!(text.unwrap().strings().unwrap(), ["a", "é"]);
}

#[test]
fn a_value_too_wide_for_its_type_is_refused() {
    let error = decode(&message(&[(5, &[0xac, 2])], 2, &[1])).unwrap_err();
    assert_eq!(error.to_string(), "300 is not a uint8");
}

#[test]
fn packed_and_unpacked_numbers_are_the_same() {
    let mut unpacked = message(&[], 7, &[2]);
    put_varint_field(&mut unpacked, 7, 5);
    put_varint_field(&mut unpacked, 7, 6);
    assert_eq!(
        decode(&unpacked).unwrap(),
        decode(&message(&[(7, &[5, 6])], 7, &[2])).unwrap()
    );
}

#[test]
fn other_kinds_of_values_are_named() {
    // A SequenceProto of one tensor: elem_type 1, tensor_values.
    let sequence = message(&[(3, &[0x10, 1])], 1, &[]);
    assert_eq!(
        decode(&sequence).unwrap_err().to_string(),
        "a sequence, an optional value or a tensor in segments is not supported"
    );
    let mut external = message(&[(13, &[])], 1, &[1]);
    put_varint_field(&mut external, 14, 1);
    assert_eq!(
        decode(&external).unwrap_err().to_string(),
        "a test tensor whose data is in another file is not supported"
    );
}

/// Security row A55 for test data: every cut and every flipped byte gives an answer, never a panic.
#[test]
fn broken_messages_are_refused() {
    let good = message(&[(9, &[0; 8]), (8, b"x")], 1, &[1, 2]);
    for cut in 1..good.len() {
        let _ = decode(&good[..cut]);
    }
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            let _ = decode(&bad);
        }
    }
    for (bytes, why) in [
        (
            &[0x0a, 0x7f][..],
            "not a TensorProto: it ends inside a field",
        ),
        (&[0x03], "not a TensorProto: unknown wire type"),
        (
            &[0x80; 11],
            "not a TensorProto: a varint is longer than 10 bytes",
        ),
        (&[0x00, 0x00], "not a TensorProto: field number 0"),
        (&[], "element type `undefined` (0) is not supported"),
    ] {
        assert_eq!(decode(bytes).unwrap_err().to_string(), why);
    }
    let twice = message(&[(9, &[0; 8]), (7, &[1])], 7, &[1]);
    assert_eq!(
        decode(&twice).unwrap_err().to_string(),
        "not a TensorProto: its data is in several fields"
    );
    // 2^40 elements claimed, none given: nothing is allocated.
    let absurd = message(&[], 1, &[1 << 40]);
    assert!(matches!(decode(&absurd), Err(TensorError::Length { .. })));
}
