//! Any bytes → a signature bundle, or refused, never a panic; what is read survives being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::trust::{Bundle, Material, PublicKey};

fuzz_target!(|bytes: &[u8]| {
    let Ok(bundle) = Bundle::parse(bytes) else {
        return;
    };
    assert!(bundle.envelope.payload.len() < bytes.len());
    let again = Bundle::parse(&bundle.to_vec()).expect("it was accepted before");
    assert_eq!(again.envelope, bundle.envelope);
    assert_eq!(again.material, bundle.material);
    if let Material::PublicKey {
        spki: Some(spki), ..
    } = &bundle.material
    {
        if let Ok(key) = PublicKey::from_spki(spki) {
            // Whatever it says, it is yes or no.
            let _ = bundle.envelope.verify(&key);
        }
    }
});
