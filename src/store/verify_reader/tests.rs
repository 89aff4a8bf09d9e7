use super::*;
use crate::oci::Algorithm;

const RIGHT: &[u8; 100] = &[7; 100];

/// Reads all of `content` as the blob `RIGHT`, in both ways, which must agree.
fn read(content: &[u8]) -> Result<Vec<u8>, String> {
    let blob = Descriptor::of("a/b", RIGHT);
    let mut bytes = Vec::new();
    let blocking = VerifyReader::new(content, &blob).read_to_end(&mut bytes);
    let blocking = blocking.map(|_| bytes).map_err(|error| error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let read = runtime.unwrap().block_on(async {
        let mut bytes = Vec::new();
        let mut reader = VerifyReader::new(content, &blob);
        let read = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut bytes).await;
        read.map(|_| bytes)
    });
    assert_eq!(read.map_err(|error| error.to_string()), blocking);
    blocking
}

/// Security row A33.
#[test]
fn content_is_given_whole_or_not_at_all() {
    let digest = Digest::sha256(RIGHT);
    assert_eq!(read(RIGHT).unwrap(), RIGHT);
    assert_eq!(
        read(&[7; 101]).unwrap_err(),
        format!("blob `{digest}`: got 101 bytes, expected 100")
    );
    assert_eq!(
        read(&[7; 5000]).unwrap_err(),
        format!("blob `{digest}`: got 101 bytes, expected 100")
    );
    assert_eq!(
        read(&[7; 99]).unwrap_err(),
        format!("blob `{digest}`: got 99 bytes, expected 100")
    );
    assert_eq!(
        read(b"").unwrap_err(),
        format!("blob `{digest}`: got 0 bytes, expected 100")
    );
    let got = Digest::sha256(&[8; 100]);
    assert_eq!(
        read(&[8; 100]).unwrap_err(),
        format!("blob `{digest}`: got content with digest `{got}`")
    );
}

#[test]
fn last_piece_of_wrong_content_is_never_given() {
    let blob = Descriptor::of("a/b", RIGHT);
    let mut reader = VerifyReader::new(&[8; 100][..], &blob);
    let mut buffer = [0; 100];
    assert!(reader.read_exact(&mut buffer[..60]).is_ok());
    for _ in 0..3 {
        let error = reader.read(&mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

#[test]
fn empty_blob_and_sha512_are_checked() {
    let nothing = Descriptor::of("a/b", b"");
    let read = |content: &[u8], blob| VerifyReader::new(content, blob).read_to_end(&mut Vec::new());
    assert!(read(b"", &nothing).is_ok());
    assert!(read(b"x", &nothing).is_err());
    let lie = Descriptor::new("a/b", Digest::sha256(b"x"), 0);
    assert!(read(b"", &lie).is_err());
    let long = Descriptor::new("a/b", Digest::of(Algorithm::Sha512, b"abc"), 3);
    assert!(read(b"abc", &long).is_ok());
    assert!(read(b"abd", &long).is_err());
}

#[test]
fn part_has_exactly_its_length() {
    let blob = Descriptor::of("a/b", RIGHT);
    let read = |content: &[u8]| {
        let mut reader = VerifyReader::of_part(content, &blob, 10);
        reader.read_to_end(&mut Vec::new())
    };
    assert_eq!(read(&[1; 10]).unwrap(), 10);
    assert!(read(&[1; 9]).is_err());
    assert!(read(&[1; 11]).is_err());
    assert_eq!(check_range(&blob, &(90..100)).unwrap(), 10);
    assert!(check_range(&blob, &(90..101)).is_err());
}

/// Security row A32: a size is a claim, and nothing is allocated for it.
#[test]
fn huge_claim_costs_nothing() {
    let blob = Descriptor::new("a/b", Digest::sha256(b"x"), u64::MAX);
    let mut bytes = Vec::new();
    let mut reader = VerifyReader::new(&b"x"[..], &blob);
    assert!(reader.read_to_end(&mut bytes).is_err());
    assert!(bytes.capacity() < 1 << 20);
}
