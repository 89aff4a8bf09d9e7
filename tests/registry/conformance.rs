//! The conformance suite of distribution-spec against the embedded registry: with its defaults,
//! and with every optional part.

use std::process::Command;

use tempfile::TempDir;

use crate::support::embedded::Embedded;

/// Runs the suite, of which nothing may fail, and says how many tests passed.
fn conformance(registry: &Embedded, settings: &[(&str, &str)]) -> usize {
    let folder = TempDir::new().unwrap();
    let output = Command::new("conformance")
        .current_dir(folder.path())
        .env("OCI_REGISTRY", registry.address.to_string())
        .env("OCI_TLS", "disabled")
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    let count = |word: &str| {
        let line = report
            .lines()
            .find(|line| line.trim_start().starts_with(word));
        let number = line.and_then(|line| line.rsplit(' ').next());
        number
            .unwrap_or_else(|| panic!("{report}"))
            .parse()
            .unwrap()
    };
    let counts = [count("Pass.."), count("FAIL.."), count("Error..")];
    let failures = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        counts[1..],
        [0, 0],
        "{} passed; failed: {failures}",
        counts[0]
    );
    counts[0]
}

#[test]
#[ignore = "needs the OCI conformance suite"]
fn conformance_suite_passes_with_its_defaults() {
    let passed = conformance(&Embedded::new(), &[]);
    assert!(passed > 800, "only {passed} tests passed");
}

#[test]
#[ignore = "needs the OCI conformance suite"]
fn conformance_suite_passes_with_every_optional_part() {
    let registry = Embedded::with(|options| options.sparse = true);
    let settings = [("OCI_VERSION", "1.1+dev"), ("OCI_DATA_SPARSE", "true")];
    let passed = conformance(&registry, &settings);
    assert!(passed > 900, "only {passed} tests passed");
}
