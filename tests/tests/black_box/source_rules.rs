//! Rules for the sources that no lint checks: dependencies have reasons and uses, `unsafe` stays where
//! ARCHITECTURE.md says, and changes of the page cost little.

use std::fs;
use std::path::{Path, PathBuf};
use xtask::build::root;

/// All files below the workspace with that extension, without build output and hidden directories.
fn sources(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            files.extend(sources(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    files
}

/// The names and the rest of the lines of the tables of dependencies in a Cargo.toml.
fn dependencies(manifest: &str) -> Vec<(&str, &str)> {
    let mut is_inside = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_inside = line.ends_with("dependencies]");
            // `[dependencies.NAME]`
            let table =
                line.split_once("dependencies.").and_then(|(_, name)| name.strip_suffix(']'));
            found.extend(table.map(|name| (name, "")));
        } else if is_inside && let Some((name, rest)) = line.split_once([' ', '.']) {
            found.push((name, rest));
        }
    }
    found.retain(|(name, _)| !name.starts_with('#'));
    found
}

/// True if `text` contains `word`, not as a part of another one.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
    })
}

#[test]
fn each_dependency_has_a_reason_and_is_used() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let workspace = dependencies(&manifest);
    assert!(40 < workspace.len(), "{workspace:?}");
    for (name, rest) in &workspace {
        let (_, reason) = rest.split_once(" # ").unwrap_or_default();
        assert!(rest.contains("path = ") || !reason.trim().is_empty(), "{name} has no reason");
    }
    let mut used = Vec::new();
    for path in sources(&root(), "toml") {
        if path == root().join("Cargo.toml") || !path.ends_with("Cargo.toml") {
            continue;
        }
        let manifest = fs::read_to_string(&path).unwrap();
        let files = sources(path.parent().unwrap(), "rs");
        let code: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        for (name, _) in dependencies(&manifest) {
            assert!(
                has_word(&code, &name.replace('-', "_")),
                "{} does not use {name}",
                path.display()
            );
            used.push(name.to_owned());
        }
    }
    for (name, _) in workspace {
        assert!(used.iter().any(|used| used == name), "no crate uses {name}");
    }
}

/// The quotation mark; written as such it would end the search in this file.
const QUOTE: char = '\u{22}';

/// `unsafe` as a keyword, and exceptions to the lint that denies it. Comments and texts do not count.
#[test]
fn unsafe_code_is_in_two_files() {
    let allowed = ["sniffer/src/capture/ring.rs", "sniffer/src/capture/sys.rs"];
    let mut found = Vec::new();
    for path in sources(&root(), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let is_unsafe = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            let is_lifted = ["allow", "expect"]
                .iter()
                .any(|level| code.contains(&format!("{level}(unsafe_code")));
            let keyword = code.split(QUOTE).step_by(2).any(|code| has_word(code, "unsafe"));
            keyword || is_lifted
        });
        if is_unsafe {
            found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    assert_eq!(found, allowed);
}

/// With `:has()` on the whole page, Chromium computes the styles of all elements again whenever a text changes.
#[test]
fn style_sheet_does_not_depend_on_all_elements() {
    let style = fs::read_to_string(root().join("www/style.css")).unwrap();
    let rules: String = style
        .split("/*")
        .map(|part| part.split_once("*/").map_or(part, |(_, rules)| rules))
        .collect();
    assert!(rules.contains("#tooltip {") && !rules.contains("/*"));
    for selector in ["body:has(", "html:has(", ":root:has(", "main:has("] {
        assert!(!rules.contains(selector), "{selector}");
    }
}
