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
            "it is a key of algorithm 1.3.101.112, expected ECDSA on P-256 or P-384",
        ),
        (
            vector!("p521.sec1.pem"),
            "it is malformed: it is no SEC1 key on P-256 or P-384",
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
            "it is a key of algorithm 1.3.101.112, expected ECDSA on P-256 or P-384",
        ),
        (
            vector!("p521.pub"),
            "it is a key of algorithm 1.3.132.0.35, expected ECDSA on P-256 or P-384",
        ),
    ];
    for (file, message) in public {
        assert_eq!(PublicKey::parse(file).unwrap_err().to_string(), message);
    }
}

/// RFC 3279, section 2.2.3: `r` and `s` are positive, and nothing follows them.
#[test]
fn malformed_signatures_are_refused() {
    let public = PublicKey::parse(vector!("p256.pub")).unwrap();
    let mut trailing = vector!("p256.sig").to_vec();
    trailing.push(0);
    let zeros: &[u8] = &[0x30, 6, 2, 1, 0, 2, 1, 0];
    let zero_s: &[u8] = &[0x30, 6, 2, 1, 1, 2, 1, 0];
    let raw: &[u8] = &[7; 64];
    for signature in [&[][..], raw, &trailing, vector!("p384.sig")] {
        let refused = public.verify(MESSAGE, signature);
        assert_eq!(refused, Err(SignatureError::Malformed));
    }
    for signature in [zeros, zero_s] {
        let refused = public.verify(MESSAGE, signature);
        assert_eq!(refused, Err(SignatureError::Invalid));
    }
}

#[test]
fn sealed_key_opens_with_its_passphrase_only() {
    for passphrase in ["correct horse", ""] {
        let passphrase = Passphrase::from(passphrase.to_owned());
        let key = PrivateKey::generate();
        let pem = key.to_sealed_pem(&passphrase);
        assert!(pem.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
        let opened = PrivateKey::parse(pem.as_bytes(), Some(&passphrase)).unwrap();
        assert_eq!(opened.public_key(), key.public_key());

        let refused = |passphrase| PrivateKey::parse(pem.as_bytes(), passphrase).unwrap_err();
        assert_eq!(refused(None), KeyError::Sealed);
        let wrong = Passphrase::from("wrong".to_owned());
        assert_eq!(refused(Some(&wrong)), KeyError::Passphrase);
        // Lines as Windows and sigstore-rs end them.
        let crlf = pem.replace('\n', "\r\n");
        PrivateKey::parse(crlf.as_bytes(), Some(&passphrase)).unwrap();
    }
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
