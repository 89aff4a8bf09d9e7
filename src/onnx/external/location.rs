//! The `location` of external data: hostile text → a relative path that stays below its folder.
//!
//! ONNX Runtime and onnx had traversals here (CVE-2022-25882, CVE-2024-27318), cut the text at a
//! NUL, and dereference a marker for data in memory. So every text is checked before any of them
//! sees it.

use crate::onnx::fault::TensorFault;

/// The location that ONNX Runtime takes for an address in memory.
const MEMORY_MARKER: &str = "*/_ORT_MEM_ADDR_/*";
/// The longest component in bytes: what Linux file systems take.
const MAX_COMPONENT: usize = 255;
/// The longest path in bytes: PATH_MAX.
const MAX_PATH: usize = 4096;

/// Checks a location and takes its `.` components out.
pub(crate) fn normalise(location: &[u8]) -> Result<String, TensorFault> {
    let text = std::str::from_utf8(location);
    let refused = |reason| TensorFault::Location {
        location: String::from_utf8_lossy(&location[..location.len().min(200)]).into_owned(),
        reason,
    };
    let text = text.map_err(|_| refused("is not UTF-8"))?;
    if text.contains(MEMORY_MARKER) {
        return Err(TensorFault::Location {
            location: String::new(),
            reason: "is an in-memory marker",
        });
    }
    let fault = fault(text).or_else(|| text.split('/').find_map(component_fault));
    if let Some(reason) = fault {
        return Err(refused(reason));
    }
    let components: Vec<&str> = text.split('/').filter(|part| *part != ".").collect();
    match components.is_empty() {
        true => Err(refused("names no file")),
        false => Ok(components.join("/")),
    }
}

fn fault(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.len() > MAX_PATH {
        return Some("is longer than 4096 bytes");
    }
    if path.starts_with('/') {
        return Some("is absolute");
    }
    if path.contains('\\') {
        return Some("has a backslash");
    }
    if path.contains('\0') {
        return Some("has a NUL");
    }
    if path.chars().any(char::is_control) {
        return Some("has a control character");
    }
    None
}

fn component_fault(component: &str) -> Option<&'static str> {
    let drive = component.as_bytes();
    match component {
        "" => Some("has an empty component"),
        ".." => Some("has a `..` component"),
        _ if component.len() > MAX_COMPONENT => Some("has a component longer than 255 bytes"),
        _ if drive.len() >= 2 && drive[1] == b':' && drive[0].is_ascii_alphabetic() => {
            Some("has a drive prefix")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(location: &[u8]) -> String {
        normalise(location).unwrap_err().to_string()
    }

    /// Security rows A50 to A53.
    #[test]
    fn unsafe_locations_are_refused_with_the_reason() {
        for (location, message) in [
            (&b""[..], "location is empty"),
            (b".", "location names no file: \".\""),
            (b"./.", "location names no file: \"./.\""),
            (b"/etc/passwd", "location is absolute: \"/etc/passwd\""),
            (b"../../x", "location has a `..` component: \"../../x\""),
            (
                b"sub/../../x",
                "location has a `..` component: \"sub/../../x\"",
            ),
            (b"x/../a", "location has a `..` component: \"x/../a\""),
            (b"a\\b", "location has a backslash: \"a\\\\b\""),
            (
                b"w.bin\0/../../x",
                "location has a NUL: \"w.bin\\0/../../x\"",
            ),
            (b"a\nb", "location has a control character: \"a\\nb\""),
            (b"C:x", "location has a drive prefix: \"C:x\""),
            (b"a//b", "location has an empty component: \"a//b\""),
            (b"a/", "location has an empty component: \"a/\""),
            (b"\xff", "location is not UTF-8: \"\u{fffd}\""),
            (MEMORY_MARKER.as_bytes(), "location is an in-memory marker"),
            (b"./*/_ORT_MEM_ADDR_/*", "location is an in-memory marker"),
        ] {
            assert_eq!(refusal(location), message);
        }
        assert!(refusal(&[b'x'; 256]).starts_with("location has a component longer than 255"));
        assert!(refusal("x/".repeat(2049).as_bytes()).starts_with("location is longer than 4096"));
    }

    #[test]
    fn safe_locations_lose_their_dots() {
        for (location, path) in [
            ("w.bin", "w.bin"),
            ("./w.bin", "w.bin"),
            ("a/./b..c", "a/b..c"),
            ("..w", "..w"),
            ("*/x", "*/x"),
        ] {
            assert_eq!(normalise(location.as_bytes()).unwrap(), path);
        }
    }
}
