use super::*;

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/vectors/keys/", $name)).as_slice()
    };
}

const MESSAGE: &[u8] = vector!("message");

#[test]
fn keys_and_signatures_of_openssl_are_read() {
    let curves = [
        (
            [vector!("p256.sec1.pem"), vector!("p256.pkcs8.pem")],
            vector!("p256.pub"),
            vector!("p256.sig"),
        ),
        (
            [vector!("p384.sec1.pem"), vector!("p384.pkcs8.pem")],
            vector!("p384.pub"),
            vector!("p384.sig"),
        ),
        (
            [vector!("p521.sec1.pem"), vector!("p521.pkcs8.pem")],
            vector!("p521.pub"),
            vector!("p521.sig"),
        ),
    ];
    for (private, pem, signature) in curves {
        let public = PublicKey::parse(pem).unwrap();
        assert_eq!(public.to_pem().as_bytes(), pem);
        public.verify(MESSAGE, signature).unwrap();
        for file in private {
            let key = PrivateKey::parse(file, None).unwrap();
            assert_eq!(key.public_key(), public);
            public.verify(MESSAGE, &key.sign(MESSAGE)).unwrap();
        }
        let refused = public.verify(b"another", signature);
        assert_eq!(refused, Err(SignatureError::Invalid));
    }
    let public = PublicKey::parse(vector!("p256.pub")).unwrap();
    let hex = "501b90d7a263a6b8a1a975107da3ceda2fce7528d31570289c0f361938b602a2";
    assert_eq!(public.oms_hint(), hex);
}

#[test]
fn what_is_no_such_key_is_refused_by_name() {
    let private = [
        (
            vector!("p256.pub"),
            "it holds a `PUBLIC KEY`, expected a private key",
        ),
        (
            vector!("ed25519.pem"),
            "it is a key of algorithm 1.3.101.112, expected ECDSA on P-256, P-384 or P-521",
        ),
        (
            vector!("secp256k1.pkcs8.pem"),
            "it is a key of algorithm 1.3.132.0.10, expected ECDSA on P-256, P-384 or P-521",
        ),
        (
            vector!("secp256k1.sec1.pem"),
            "it is malformed: it is no SEC1 key on P-256, P-384 or P-521",
        ),
        (
            vector!("p256.encrypted.pem"),
            "it is encrypted as OpenSSL does; write it unencrypted, or make one with `keygen`",
        ),
        (
            vector!("p256.legacy-encrypted.pem"),
            "it is encrypted as OpenSSL does; write it unencrypted, or make one with `keygen`",
        ),
        (b"hello", "it is not a PEM file of at most 64 KiB"),
        (&[0xff; 100], "it is not a PEM file of at most 64 KiB"),
        (&[b' '; 70_000], "it is not a PEM file of at most 64 KiB"),
    ];
    for (file, message) in private {
        let error = PrivateKey::parse(file, None).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let public = [
        (
            vector!("p256.pkcs8.pem"),
            "it holds a `PRIVATE KEY`, expected a `PUBLIC KEY`",
        ),
        (
            vector!("ed25519.pub"),
            "it is a key of algorithm 1.3.101.112, expected ECDSA on P-256, P-384 or P-521",
        ),
        (
            vector!("secp256k1.pub"),
            "it is a key of algorithm 1.3.132.0.10, expected ECDSA on P-256, P-384 or P-521",
        ),
    ];
    for (file, message) in public {
        assert_eq!(PublicKey::parse(file).unwrap_err().to_string(), message);
    }
}

/// RFC 3279, section 2.2.3: `r` and `s` are positive, and nothing follows them.
#[test]
fn malformed_signatures_are_refused() {
    let curves = [
        (vector!("p256.pub"), vector!("p256.sig"), 32),
        (vector!("p384.pub"), vector!("p384.sig"), 48),
        (vector!("p521.pub"), vector!("p521.sig"), 66),
    ];
    for (public, signature, length) in curves {
        let public = PublicKey::parse(public).unwrap();
        let mut trailing = signature.to_vec();
        trailing.push(0);
        let raw = vec![7; 2 * length];
        let longer = sequence(&vec![0x7f; length + 1]);
        for signature in [&[][..], &raw, &trailing, &longer] {
            let refused = public.verify(MESSAGE, signature);
            assert_eq!(refused, Err(SignatureError::Malformed), "{length}");
        }
        let zero_s = [0x30, 6, 2, 1, 1, 2, 1, 0].to_vec();
        // More than the order of any curve.
        let largest = sequence(&[&[0][..], &vec![0xff; length]].concat());
        for signature in [sequence(&[0]), zero_s, largest] {
            let refused = public.verify(MESSAGE, &signature);
            assert_eq!(refused, Err(SignatureError::Invalid), "{length}");
        }
    }
    let public = PublicKey::parse(vector!("p256.pub")).unwrap();
    for other in [vector!("p384.sig"), vector!("p521.sig")] {
        let refused = public.verify(MESSAGE, other);
        assert_eq!(refused, Err(SignatureError::Malformed));
    }
}

/// A signature in DER whose `r` and `s` are this integer.
fn sequence(integer: &[u8]) -> Vec<u8> {
    let length = |content: &[u8]| u8::try_from(content.len()).unwrap();
    let integer = [&[2, length(integer)], integer].concat();
    let both = integer.repeat(2);
    let head: &[u8] = match both.len() {
        0..128 => &[0x30],
        _ => &[0x30, 0x81],
    };
    [head, &[length(&both)], &both].concat()
}

/// Appendix A.2.7, "With SHA-512, message = "sample"": the nonce is the one that the key and the message
/// give, so it is never used twice.
#[test]
fn signature_on_p521_is_that_of_rfc_6979() {
    let key = PrivateKey::parse(vector!("p521.rfc6979.pem"), None).unwrap();
    let r = "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa";
    let s = "617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a";
    let expected = format!("3081870242{r}0241{s}");
    assert_eq!(hex::encode(key.sign(b"sample")), expected);
}

#[test]
fn sealed_key_opens_with_its_passphrase_only() {
    for passphrase in ["correct horse", ""] {
        let passphrase = Passphrase::from(passphrase.to_owned());
        let p521 = PrivateKey::parse(vector!("p521.pkcs8.pem"), None).unwrap();
        for key in [PrivateKey::generate(), p521] {
            opens_with(&passphrase, &key);
        }
    }
}

fn opens_with(passphrase: &Passphrase, key: &PrivateKey) {
    let pem = key.to_sealed_pem(passphrase);
    assert!(pem.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
    let opened = PrivateKey::parse(pem.as_bytes(), Some(passphrase)).unwrap();
    assert_eq!(opened.public_key(), key.public_key());

    let refused = |passphrase| PrivateKey::parse(pem.as_bytes(), passphrase).unwrap_err();
    assert_eq!(refused(None), KeyError::Sealed);
    let wrong = Passphrase::from("wrong".to_owned());
    assert_eq!(refused(Some(&wrong)), KeyError::Passphrase);
    // Lines as Windows and sigstore-rs end them.
    let crlf = pem.replace('\n', "\r\n");
    PrivateKey::parse(crlf.as_bytes(), Some(passphrase)).unwrap();
}

/// A file must not choose how much memory is used for opening it.
#[test]
fn other_costs_of_scrypt_are_refused() {
    let sealed = |n: u32, r: u32| {
        let content = format!(
            r#"{{"kdf":{{"name":"scrypt","params":{{"N":{n},"r":{r},"p":1}},"salt":"AA=="}},"cipher":{{"name":"nacl/secretbox","nonce":"{}"}},"ciphertext":"AA=="}}"#,
            "A".repeat(32)
        );
        pem::encode(sealed::LABELS[0], content.as_bytes())
    };
    let passphrase = Passphrase::default();
    for (n, r) in [(1 << 30, 8), (32768, 1 << 20), (0, 8), (2, 8)] {
        let refused = PrivateKey::parse(sealed(n, r).as_bytes(), Some(&passphrase));
        assert!(matches!(refused, Err(KeyError::Malformed(_))), "{n} {r}");
    }
    let refused = PrivateKey::parse(sealed(32768, 8).as_bytes(), Some(&passphrase));
    assert_eq!(refused.unwrap_err(), KeyError::Passphrase);
}

#[test]
fn secrets_are_not_shown() {
    let key = PrivateKey::parse(vector!("p256.pkcs8.pem"), None).unwrap();
    let id = key.public_key().id();
    assert_eq!(format!("{key:?}"), format!("PrivateKey([secret] of {id})"));
    let passphrase = Passphrase::from("canary".to_owned());
    assert_eq!(format!("{passphrase:?}"), "[passphrase]");
}
