//! `cargo xtask reproducible`: builds the release artifacts twice, in different directories and with
//! different home directories of cargo, and compares the bytes.
//!
//! Panic messages contain paths of sources. `cargo xtask dist` and `cargo xtask site` replace the
//! directories of the machine; plain `cargo build` does not, because its flags would compile every
//! dependency twice.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use summary::Printable;

use crate::{build, deb};

/// Hashes of files by their path below the target directory.
type Hashes = BTreeMap<String, String>;

/// Builds the last commit twice, prints the hashes of the files, and compares them.
///
/// # Errors
///
/// If a build fails, or a file differs.
pub fn run() -> Result<()> {
    let directory = build::target().join("reproducible");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    let cargo_home = build::cargo_home()?;
    let other_home = directory.join("home-of-another-user");
    link_entries(&cargo_home, &other_home)?;
    // Both before the first build: the repository may change meanwhile.
    let copies = ["a", "another-directory"].map(|name| directory.join(name));
    deb::install_cargo_deb()?;
    for copy in &copies {
        let mut clone = Command::new("git");
        build::run(clone.args(["clone", "--quiet"]).arg(build::root()).arg(copy))?;
        fs::create_dir(copy.join("target"))?;
        symlink(deb::tools_path(), copy.join("target").join("tools"))?;
    }
    let first = build_copy(&copies[0], &cargo_home)?;
    let second = build_copy(&copies[1], &other_home)?;
    for (name, hash) in &first {
        println!("{hash}  {name}");
    }
    let differing = differing(&first, &second);
    if !differing.is_empty() {
        bail!("these files differ between two builds: {}", differing.join(", "));
    }
    println!("{} files are the same in two builds", first.len());
    Ok(())
}

/// A directory with links to the entries of another one: the same files by other paths.
fn link_entries(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        symlink(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Builds a clone of this repository.
fn build_copy(copy: &Path, cargo_home: &Path) -> Result<Hashes> {
    for task in [&["dist", "--deb"][..], &["dist", "--static"], &["site"]] {
        let mut command = build::cargo(["xtask"]);
        command.args(task);
        command.current_dir(copy).env("CARGO_HOME", cargo_home).env_remove("CARGO_TARGET_DIR");
        build::run(&mut command)?;
    }
    let target = copy.join("target");
    let mut hashes = Hashes::new();
    let mut directories = vec![target.join("dist"), target.join("site")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let bytes = fs::read(&path)
                .with_context(|| format!("reading {}", Printable(path.display())))?;
            let name = path.strip_prefix(&target)?.display();
            let name = Printable(name).to_string();
            hashes.insert(name, format!("{:x}", Sha256::digest(bytes)));
        }
    }
    Ok(hashes)
}

/// The names of files that differ or are in one build only.
fn differing(first: &Hashes, second: &Hashes) -> Vec<String> {
    let names = first.keys().chain(second.keys().filter(|name| !first.contains_key(*name)));
    names.filter(|name| first.get(*name) != second.get(*name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::{Hashes, differing};

    #[test]
    fn changed_and_missing_files_differ() {
        let hashes = |files: &[(&str, &str)]| -> Hashes {
            files.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect()
        };
        let first = hashes(&[("same", "1"), ("changed", "2"), ("only-first", "3")]);
        let second = hashes(&[("same", "1"), ("changed", "4"), ("only-second", "5")]);
        assert_eq!(differing(&first, &first), [""; 0]);
        assert_eq!(differing(&first, &second), ["changed", "only-first", "only-second"]);
    }
}
