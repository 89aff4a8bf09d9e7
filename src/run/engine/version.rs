//! The version that a library says it has, asked before anything else of it is used.

use std::ffi::CStr;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::run::RunError;

/// The oldest ONNX Runtime that models are given to: the first that checks the paths of external
/// data itself, the second line behind our own checks (CVE-2022-25882 and its successors).
pub(super) const OLDEST: Version = Version {
    major: 1,
    minor: 24,
    patch: 0,
};

/// A version of ONNX Runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Always 1 so far.
    pub major: u32,
    /// Also the version of the C API.
    pub minor: u32,
    /// The patch release.
    pub patch: u32,
}

impl Version {
    /// Loads a library and asks it; the library stays loaded.
    #[expect(
        unsafe_code,
        reason = "a C library is asked for its version; ort offers no call for it"
    )]
    pub(super) fn of_library(path: &Path) -> Result<Self, RunError> {
        let fault = |reason: String| RunError::Library {
            path: path.to_path_buf(),
            reason,
        };
        // SAFETY: loading runs the library's constructors. The user chose this file
        // (`find_library`), and its purpose is to be run.
        let library = unsafe { libloading::Library::new(path) }
            .map_err(|error| fault(format!("it does not load: {}", told(&error))))?;
        // SAFETY: every ONNX Runtime since 1.0 exports this function with this signature.
        let base = unsafe {
            library.get::<unsafe extern "C" fn() -> *const ort::sys::OrtApiBase>("OrtGetApiBase")
        };
        let base = base.map_err(|_| fault("it is not ONNX Runtime".to_owned()))?;
        // SAFETY: it returns a pointer to a static of the library, or null.
        let base = unsafe { base().as_ref() }
            .ok_or_else(|| fault("it has no ONNX Runtime API".to_owned()))?;
        // SAFETY: it returns a pointer to a static string that ends with a zero.
        let text = unsafe { CStr::from_ptr((base.GetVersionString)()) };
        let version = text.to_string_lossy().parse();
        // Never unloaded: ONNX Runtime has threads and statics of its own.
        std::mem::forget(library);
        version.map_err(|()| fault(format!("unknown version {text:?}")))
    }
}

/// What the dynamic linker says, which libloading keeps in the source of its error.
fn told(error: &libloading::Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}

impl FromStr for Version {
    type Err = ();

    /// Parses `1.32.0`, `1.32`, and what development builds put behind it (`1.33.0-dev`).
    fn from_str(text: &str) -> Result<Self, ()> {
        let release = text.split(['-', '+']).next().unwrap_or_default();
        let mut numbers = release.split('.').map(|part| part.parse().map_err(drop));
        let mut next = || numbers.next();
        let version = Self {
            major: next().ok_or(())??,
            minor: next().transpose()?.unwrap_or(0),
            patch: next().transpose()?.unwrap_or(0),
        };
        numbers.next().map_or(Ok(version), |_| Err(()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_library_is_refused_with_the_linkers_words() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp/make_mlp.py");
        let error = Version::of_library(Path::new(script)).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("`{script}`: it does not load: ")),
            "{text}"
        );
        assert!(text.len() > script.len() + 40, "{text}");
    }

    #[test]
    fn versions_are_parsed_and_ordered() {
        let parse = |text: &str| text.parse::<Version>();
        assert_eq!(parse("1.32.0").unwrap().to_string(), "1.32.0");
        assert_eq!(parse("1.33.0-dev+cpu").unwrap().to_string(), "1.33.0");
        assert!(parse("1.9.0").unwrap() < parse("1.24").unwrap());
        for text in ["", "x", "1.x", "1.2.3.4", "1..2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
