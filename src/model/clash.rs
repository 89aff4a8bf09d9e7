//! Names that some file systems take for the same: they would overwrite each other when written.

use std::collections::HashMap;

use super::FilePath;

/// Finds two paths that are the same after NFC and case folding, or of which one is a folder of
/// the other (security row A04).
pub fn clash<'a>(
    paths: impl IntoIterator<Item = &'a FilePath>,
) -> Option<(&'a FilePath, &'a FilePath)> {
    let mut seen: HashMap<String, &FilePath> = HashMap::new();
    for path in paths {
        if let Some(other) = seen.insert(path.folded(), path) {
            return Some((other, path));
        }
    }
    seen.iter().find_map(|(folded, path)| {
        let mut folders = folded.match_indices('/').map(|(at, _)| &folded[..at]);
        folders.find_map(|folder| seen.get(folder).map(|other| (*other, *path)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clashes(paths: &[&str]) -> bool {
        let paths: Vec<FilePath> = paths.iter().map(|path| path.parse().unwrap()).collect();
        clash(&paths).is_some()
    }

    /// Security row A04.
    #[test]
    fn paths_that_one_file_system_cannot_hold_apart_clash() {
        assert!(clashes(&["a", "b", "a"]));
        assert!(clashes(&["A.onnx", "a.onnx"]));
        assert!(clashes(&["u\u{308}.bin", "ü.bin"]));
        assert!(clashes(&["a/b", "a"]));
        assert!(clashes(&["x/Y/z", "X/y"]));
    }

    #[test]
    fn siblings_and_names_that_only_begin_alike_do_not() {
        assert!(!clashes(&["a/b", "a/c", "ab", "a-b/c", "a.b"]));
    }
}
