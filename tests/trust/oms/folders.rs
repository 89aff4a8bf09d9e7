//! Models on disk: which files are signed, and what differs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use modelctl::ErrorKind;
use modelctl::trust::oms::{
    Folder, FolderOptions, IgnorePaths, OmsError, Signed, SignedFolder, Signer, Trusted,
    check_signed,
};
use modelctl::verify::{Check, Code, Finding};
use tempfile::TempDir;

use super::{key, read, vector, vector_key};

/// A folder with files, each with its own name for content.
fn folder(files: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

fn sign(path: &Path, ignore: &[&str]) -> Result<SignedFolder, OmsError> {
    let folder = Folder::open(path)?;
    let ignore: Vec<PathBuf> = ignore.iter().map(PathBuf::from).collect();
    let ignore_paths = folder.ignoring(&path.join("model.sig"), &ignore)?;
    Signer::new(key()).sign_folder(&folder, ignore_paths)
}

fn names(signed: &SignedFolder) -> Vec<&str> {
    let Signed::Named(resources) = &signed.statement.files else {
        panic!("it has names");
    };
    resources
        .iter()
        .map(|resource| resource.name.as_str())
        .collect()
}

/// What is wrong with a folder, by the signature that its signer made.
fn faults(path: &Path, signed: &SignedFolder, options: &FolderOptions) -> Vec<(String, Code)> {
    let key = key().public_key();
    let model = Folder::open(path).unwrap();
    let signature = ("model.sig", signed.bundle.as_slice());
    let findings = check_signed(signature, &[Trusted::Key(&key)], &model, options).unwrap();
    assert_eq!(findings[0].check, Check::Signature);
    let faults = findings.into_iter().filter(Finding::is_failure);
    faults
        .map(|finding| (finding.subject, finding.code))
        .collect()
}

/// OMS v1.0, sections 6.1, 6.2 and 6.4.
#[test]
fn signed_are_all_files_but_the_git_names_at_the_top_in_order() {
    let folder = folder(&[
        ".git/config",
        ".github/workflows/x.yml",
        ".gitignore",
        ".gitattributes",
        "model.sig",
        "sub/vocab.txt",
        "sub.txt",
        "sub/.git/config",
        ".env",
        ".cache/w",
        "path with spaces/file (copy).bin",
        "模型.bin",
        "u\u{308}.txt",
        "Model.bin",
        "model.bin",
        "back\\slash",
        "cache/skip",
        "cached",
        "sub/cache/x",
    ]);
    fs::create_dir(folder.path().join("nothing")).unwrap();
    let signed = sign(folder.path(), &["cache"]).unwrap();
    assert_eq!(
        names(&signed),
        [
            ".cache/w",
            ".env",
            "Model.bin",
            "back\\slash",
            "cached",
            "model.bin",
            "path with spaces/file (copy).bin",
            "sub.txt",
            "sub/.git/config",
            "sub/cache/x",
            "sub/vocab.txt",
            "u\u{308}.txt",
            "模型.bin",
        ]
    );
    let recorded: Vec<&str> = signed.statement.ignore_paths.iter().collect();
    assert_eq!(
        recorded,
        [
            ".git",
            ".gitattributes",
            ".github",
            ".gitignore",
            "cache",
            "model.sig"
        ]
    );
    assert!(faults(folder.path(), &signed, &FolderOptions::default()).is_empty());
    assert_eq!(
        signed.bundle,
        sign(folder.path(), &["cache"]).unwrap().bundle
    );
}

#[test]
fn absolute_paths_below_the_folder_are_left_out_too() {
    let folder = folder(&["a", "b/c"]);
    let absolute = folder.path().join("b");
    let signed = sign(folder.path(), &[absolute.to_str().unwrap()]).unwrap();
    assert_eq!(names(&signed), ["a"]);
    let outside = sign(folder.path(), &["/tmp"]).unwrap_err();
    assert_eq!(outside.kind(), ErrorKind::Usage);
    assert_eq!(
        outside.to_string(),
        "`/tmp` cannot be left out of a signature: it is not below the model"
    );
}

/// OMS v1.0, section 6.1.2: the name of one file is its own.
#[test]
fn model_of_one_file_is_called_by_its_name() {
    let folder = folder(&["model.bin"]);
    let path = folder.path().join("model.bin");
    let signed = sign(&path, &[]).unwrap();
    assert_eq!(names(&signed), ["model.bin"]);
    assert_eq!(signed.statement.name, "model.bin");
    assert!(faults(&path, &signed, &FolderOptions::default()).is_empty());
    fs::write(&path, "changed").unwrap();
    let wrong = faults(&path, &signed, &FolderOptions::default());
    assert_eq!(wrong, [("model.bin".to_owned(), Code::Mismatch)]);
}

#[test]
fn what_cannot_be_signed_is_named_with_the_remedy() {
    let error = |folder: &TempDir| sign(folder.path(), &[]).unwrap_err().to_string();
    let linked = folder(&["a"]);
    symlink("a", linked.path().join("link")).unwrap();
    assert_eq!(
        error(&linked),
        "`link` cannot be signed: it is a symbolic link; put the real file in its place, or leave it out with --ignore-path"
    );
    assert_eq!(names(&sign(linked.path(), &["link"]).unwrap()), ["a"]);
    let cycle = folder(&["a"]);
    symlink(".", cycle.path().join("cycle")).unwrap();
    assert!(error(&cycle).starts_with("`cycle` cannot be signed: it is a symbolic link"));
    let socket = folder(&["a"]);
    let _listener = UnixListener::bind(socket.path().join("s")).unwrap();
    assert_eq!(
        error(&socket),
        "`s` cannot be signed: it is not a regular file; leave it out with --ignore-path"
    );
    let bytes = folder(&["a"]);
    fs::write(bytes.path().join(OsStr::from_bytes(b"\xff")), "x").unwrap();
    assert_eq!(
        error(&bytes),
        "`\u{fffd}` cannot be signed: its name is not UTF-8; rename it"
    );
    assert_eq!(
        error(&folder(&[".gitignore", "model.sig"])),
        "there are no files to sign"
    );
    let absent = sign(Path::new("/absent"), &[]).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
}

/// OMS v1.0, sections 8.4 and 8.5.
#[test]
fn every_difference_is_found() {
    let folder = folder(&["a", "b", "c", "d"]);
    let signed = sign(folder.path(), &[]).unwrap();
    fs::write(folder.path().join("a"), "another").unwrap();
    fs::remove_file(folder.path().join("b")).unwrap();
    fs::remove_file(folder.path().join("c")).unwrap();
    symlink("d", folder.path().join("c")).unwrap();
    fs::write(folder.path().join("e"), "new").unwrap();
    symlink("d", folder.path().join("f")).unwrap();
    let expected = [
        ("a", Code::Mismatch),
        ("b", Code::Missing),
        ("c", Code::NotRegular),
        ("e", Code::Unexpected),
        ("f", Code::Unexpected),
    ];
    let found = faults(folder.path(), &signed, &FolderOptions::default());
    let found: Vec<(&str, Code)> = found
        .iter()
        .map(|(name, code)| (name.as_str(), *code))
        .collect();
    assert_eq!(found, expected);
    let lenient = FolderOptions {
        ignore_unsigned_files: true,
        ..FolderOptions::default()
    };
    assert_eq!(faults(folder.path(), &signed, &lenient).len(), 3);
    let mut ignoring = FolderOptions::default();
    ignoring.ignore_paths.add("e").unwrap();
    assert_eq!(faults(folder.path(), &signed, &ignoring).len(), 4);
}

/// A renamed file is one that is missing and one that nobody signed.
#[test]
fn renamed_files_are_refused() {
    let folder = folder(&["a"]);
    let signed = sign(folder.path(), &[]).unwrap();
    fs::rename(folder.path().join("a"), folder.path().join("A")).unwrap();
    let found = faults(folder.path(), &signed, &FolderOptions::default());
    let expected = [
        ("a".to_owned(), Code::Missing),
        ("A".to_owned(), Code::Unexpected),
    ];
    assert_eq!(found, expected);
}

/// Nobody gets a signed file out of the comparison by having it ignored.
#[test]
fn signed_file_that_is_ignored_is_missing() {
    let folder = folder(&["a", "b"]);
    let signed = sign(folder.path(), &[]).unwrap();
    let mut options = FolderOptions::default();
    options.ignore_paths.add("a").unwrap();
    let found = faults(folder.path(), &signed, &options);
    assert_eq!(found, [("a".to_owned(), Code::Missing)]);
}

/// The reference's signature, over the folder that it signed and over that folder changed.
#[test]
fn folder_that_the_reference_has_signed_is_verified() {
    let key = vector_key();
    let model = Folder::open(&vector("oms/demo-model")).unwrap();
    let bundle = read("oms/model.sig");
    let check = |bundle: &[u8], model: &Folder| {
        let options = FolderOptions::default();
        check_signed(
            ("model.sig", bundle),
            &[Trusted::Key(&key)],
            model,
            &options,
        )
        .unwrap()
    };
    let findings = check(&bundle, &model);
    assert_eq!(findings.len(), 6);
    assert!(
        findings
            .iter()
            .all(|finding| finding.code == Code::Verified),
        "{findings:?}"
    );
    let changed = folder(&["config.json"]);
    let other = Folder::open(changed.path()).unwrap();
    assert!(check(&bundle, &other).iter().any(Finding::is_failure));
    // Files are not looked at where the signature is worth nothing.
    let unsigned = check(b"{}", &model);
    assert_eq!((unsigned.len(), unsigned[0].code), (1, Code::Invalid));
    let none = check_signed(
        ("model.sig", &bundle),
        &[],
        &model,
        &FolderOptions::default(),
    );
    let none = none.unwrap();
    assert_eq!(none.len(), 2);
    assert_eq!(
        (none[0].code, none[1].code),
        (Code::OtherSigner, Code::Missing)
    );
    assert!(none[1].is_failure());
    assert_eq!(IgnorePaths::git().iter().count(), 4);
}
