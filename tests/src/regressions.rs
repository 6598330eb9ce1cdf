//! Checks that proptest replays every saved regression. It looks for them only in the file that belongs
//! to the source file of a test, so renaming one without the other would silently disable them.

use std::fs;
use std::path::{Path, PathBuf};
use xtask::build::root;

const DIRECTORY: &str = "proptest-regressions";

/// Directories of this name in and below `directory`, except in build output and hidden directories.
fn regression_directories(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if !path.is_dir() || name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        match name == DIRECTORY {
            true => found.push(path),
            false => regression_directories(&path, found),
        }
    }
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn every_regression_belongs_to_a_source_file_with_properties() {
    let mut directories = Vec::new();
    regression_directories(&root(), &mut directories);
    let mut checked = 0;
    for directory in &directories {
        let mut regressions = Vec::new();
        files(directory, &mut regressions);
        for regression in regressions {
            let source = regression.strip_prefix(directory).unwrap().with_extension("rs");
            // Next to a directory with the root of the crate, with the same path below it.
            let is_replayed = fs::read_dir(directory.parent().unwrap()).unwrap().any(|entry| {
                let crate_root = entry.unwrap().path();
                let is_root =
                    ["lib.rs", "main.rs"].iter().any(|name| crate_root.join(name).is_file());
                let text = fs::read_to_string(crate_root.join(&source)).unwrap_or_default();
                is_root && text.contains("proptest!")
            });
            assert!(is_replayed, "no properties for {}", regression.display());
            checked += 1;
        }
    }
    assert!(0 < checked, "no regressions found");
}
