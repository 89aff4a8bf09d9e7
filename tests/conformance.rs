//! The conformance suite of distribution-spec against the embedded registry: with its defaults,
//! and with every optional part.

use std::process::Command;

use tempfile::TempDir;

use crate::support::embedded::Embedded;

/// Runs the suite and gives its counts: passed, failed, and failed to run.
fn conformance(registry: &Embedded, settings: &[(&str, &str)]) -> [usize; 3] {
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
    println!(
        "{} passed, {} failed, {} errors",
        counts[0], counts[1], counts[2]
    );
    if counts[1] + counts[2] > 0 {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    counts
}

#[test]
#[ignore = "needs the OCI conformance suite"]
fn conformance_suite_passes_with_its_defaults() {
    let [passed, failed, errors] = conformance(&Embedded::new(), &[]);
    assert!(passed > 800, "only {passed} tests passed");
    assert_eq!((failed, errors), (0, 0));
}

#[test]
#[ignore = "needs the OCI conformance suite"]
fn conformance_suite_passes_with_every_optional_part() {
    let registry = Embedded::with(|options| options.sparse = true);
    let settings = [("OCI_VERSION", "1.1+dev"), ("OCI_DATA_SPARSE", "true")];
    let [passed, failed, errors] = conformance(&registry, &settings);
    assert!(passed > 900, "only {passed} tests passed");
    assert_eq!((failed, errors), (0, 0));
}
