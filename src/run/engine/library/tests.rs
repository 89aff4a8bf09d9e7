use tempfile::TempDir;

use super::*;

fn touch(path: PathBuf) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    path
}

/// A virtual environment with the library in it.
fn environment(root: &Path, python: &str, version: &str) -> PathBuf {
    let capi = format!("lib/{python}/site-packages/onnxruntime/capi/libonnxruntime.so.{version}");
    touch(root.join(capi))
}

fn temp() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

#[test]
fn the_places_are_tried_in_their_order() {
    let (_dir, root) = temp();
    let (bin, conda, venv) = (root.join("bin"), root.join("conda"), root.join("venv"));
    let python = environment(&root, "python3.11", "1.30.0");
    touch(bin.join("python3"));
    let shims = root.join("shims/bin");
    environment(&root.join("shims"), "python3.11", "1.0.0");
    fs::write(touch(shims.join("python3")), "#!/bin/sh\n").unwrap();
    let mut search = LibrarySearch {
        path: vec!["relative".into(), root.join("missing"), shims, bin],
        ..LibrarySearch::default()
    };
    assert_eq!(find_library(&search).unwrap(), python);
    let in_conda = touch(conda.join("lib/libonnxruntime.so"));
    search.conda_prefix = Some(conda);
    assert_eq!(find_library(&search).unwrap(), in_conda);
    let local = environment(&root.join("here/.venv"), "python3.12", "1.31.0");
    search.current_dir = Some(root.join("here"));
    assert_eq!(find_library(&search).unwrap(), local);
    let active = environment(&venv, "python3.12", "1.32.0");
    search.virtual_env = Some(venv);
    assert_eq!(find_library(&search).unwrap(), active);
    let beside = touch(root.join("exe/libonnxruntime.1.29.0.dylib"));
    search.executable_dir = Some(root.join("exe"));
    assert_eq!(find_library(&search).unwrap(), beside);
    let named = touch(root.join("exe/own.so"));
    search.dylib_path = Some("own.so".into());
    assert_eq!(find_library(&search).unwrap(), named);
    search.explicit = Some(active.clone());
    assert_eq!(find_library(&search).unwrap(), active);
}

#[test]
fn the_newest_python_and_the_newest_library_win() {
    let (_dir, root) = temp();
    environment(&root, "python3.9", "1.32.0");
    let old = environment(&root, "python3.12", "1.9.0");
    touch(old.with_file_name("libonnxruntime_providers_shared.so"));
    touch(old.with_file_name("libonnxruntime.so.txt"));
    let search = LibrarySearch {
        virtual_env: Some(root.clone()),
        ..LibrarySearch::default()
    };
    assert_eq!(find_library(&search).unwrap(), old);
    let new = environment(&root, "python3.12", "1.31.0");
    assert_eq!(find_library(&search).unwrap(), new);
}

#[test]
fn debian_and_symlinked_pythons_are_found() {
    let (_dir, root) = temp();
    let capi = "usr/local/lib/python3.13/dist-packages/onnxruntime/capi/libonnxruntime.so.1.32.0";
    let library = touch(root.join(capi));
    touch(root.join("usr/bin/python3.13"));
    let bin = root.join("home/bin");
    fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(root.join("usr/bin/python3.13"), bin.join("python3")).unwrap();
    let search = LibrarySearch {
        path: vec![bin],
        ..LibrarySearch::default()
    };
    assert_eq!(find_library(&search).unwrap(), library);
}

#[test]
fn a_missing_library_says_how_to_install_one() {
    let error = find_library(&LibrarySearch::default()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`python3 -m venv .venv && .venv/bin/pip install onnxruntime`"),
        "{text}"
    );
    assert_eq!(error.kind(), crate::ErrorKind::NotFound);
    let named = LibrarySearch {
        explicit: Some("/nowhere/libonnxruntime.so".into()),
        ..LibrarySearch::default()
    };
    assert_eq!(
        find_library(&named).unwrap_err().to_string(),
        "`/nowhere/libonnxruntime.so`: No such file or directory (os error 2)"
    );
}

/// Security row A56: `cd model && modelctl run .` must not load the model's own `.venv`.
#[test]
fn a_library_inside_the_model_is_never_loaded() {
    let (_dir, root) = temp();
    let model = root.join("model");
    let inside = environment(&model.join(".venv"), "python3.12", "9.0.0");
    let mut search = LibrarySearch {
        current_dir: Some(model.clone()),
        untrusted: Some(model.clone()),
        ..LibrarySearch::default()
    };
    let error = find_library(&search).unwrap_err();
    assert!(matches!(error, RunError::LibraryInModel { .. }), "{error}");
    // A link from outside does not make it anybody else's.
    let link = root.join("libonnxruntime.so");
    std::os::unix::fs::symlink(&inside, &link).unwrap();
    search.explicit = Some(link);
    assert!(matches!(
        find_library(&search),
        Err(RunError::LibraryInModel { .. })
    ));
    // A library elsewhere is still found.
    search.explicit = None;
    search.conda_prefix = Some(root.join("conda"));
    let good = touch(root.join("conda/lib/libonnxruntime.so"));
    assert_eq!(find_library(&search).unwrap(), good);
}
