//! `cargo xtask dist`: the sniffer for distribution, with its symbols in a file next to it.
//!
//! Debuggers and profilers find the symbols by the name that the `.gnu_debuglink` section stores
//! (GDB manual, "Debugging Information in Separate Files").

use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build;

/// Builds `target/dist/sniffer`, which is stripped, and its symbols, `target/dist/sniffer.debug`.
/// Returns the path of the program.
///
/// # Errors
///
/// If cargo or objcopy (binutils) fails.
pub fn run() -> Result<PathBuf> {
    let cargo = build::cargo(["build", "--profile", "symbols", "--package", "sniffer"]);
    build::run(&mut build::with_flags(cargo, &[])?)?;
    let directory = build::target().join("dist");
    fs::create_dir_all(&directory)?;
    let program = directory.join("sniffer");
    separate_symbols(&build::target().join("symbols/sniffer"), &program)?;
    println!("program: {}\nsymbols: {}", program.display(), symbols_path(&program).display());
    Ok(program)
}

/// Where the symbols of `program` are stored.
fn symbols_path(program: &Path) -> PathBuf {
    program.with_extension("debug")
}

/// Splits `linked`, a program with debug information, into `program` and its symbols.
fn separate_symbols(linked: &Path, program: &Path) -> Result<()> {
    let symbols = symbols_path(program);
    objcopy(&["--only-keep-debug".as_ref(), linked.as_ref(), symbols.as_ref()])?;
    let mut link = OsStr::new("--add-gnu-debuglink=").to_owned();
    link.push(&symbols);
    objcopy(&["--strip-debug".as_ref(), &link, linked.as_ref(), program.as_ref()])
}

fn objcopy(args: &[&OsStr]) -> Result<()> {
    build::run(Command::new("objcopy").args(args)).context("separating the symbols (binutils)")
}

#[cfg(test)]
mod tests {
    use super::{separate_symbols, symbols_path};
    use std::fs;
    use std::process::Command;

    #[test]
    fn symbols_are_separated_and_found_by_the_debug_link() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("source.rs");
        let linked = directory.path().join("linked");
        fs::write(&source, "fn main() { println!(\"started\") }").unwrap();
        let compiled =
            Command::new("rustc").args(["-g", "-o"]).args([&linked, &source]).status().unwrap();
        assert!(compiled.success());

        let program = directory.path().join("program");
        separate_symbols(&linked, &program).unwrap();

        let len = |path| fs::metadata(path).unwrap().len();
        assert!(len(&program) < len(&linked) / 2, "the program still contains its symbols");
        assert_eq!(Command::new(&program).output().unwrap().stdout, b"started\n");
        let sections = |path| {
            let output = Command::new("objdump").arg("-h").arg(path).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        assert!(sections(&program).contains(".gnu_debuglink"));
        assert!(!sections(&program).contains(".debug_line"));
        assert!(sections(&symbols_path(&program)).contains(".debug_line"));
    }
}
