//! `cargo xtask dist`: the sniffer for distribution, with its symbols in a file next to it, manual
//! page and shell completions.
//!
//! Debuggers and profilers find the symbols by the name that the `.gnu_debuglink` section stores
//! (GDB manual, "Debugging Information in Separate Files").

use anyhow::{Context, Result};
use std::env::consts::ARCH;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use summary::Printable;

use crate::{build, deb, debian};

/// The documents that the sniffer generates: `--generate` and the path below `target/dist`.
/// Completions have the names under which the shells look for them.
const DOCUMENTS: [(&str, &str); 4] = [
    ("man", "sniffer.1"),
    ("bash", "completions/bash/sniffer"),
    ("fish", "completions/fish/sniffer.fish"),
    ("zsh", "completions/zsh/_sniffer"),
];

/// How the sniffer is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// With the C library of the system on which it runs.
    Dynamic,
    /// With musl: one file that runs on any Linux of the architecture.
    Static,
}

/// Options of `cargo xtask dist`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Build a static program in target/dist/static, which needs no other file
    #[arg(long = "static")]
    is_static: bool,
    /// Build a Debian package, target/dist/sniffer.deb, from the dynamically linked program
    #[arg(long = "deb", conflicts_with = "is_static")]
    is_deb: bool,
}

/// Builds what the options select.
///
/// # Errors
///
/// If a tool is missing or fails.
pub fn run(options: &Options) -> Result<()> {
    match options {
        Options { is_deb: true, .. } => deb::package(),
        Options { is_static: true, .. } => program(Linkage::Static),
        Options { .. } => program(Linkage::Dynamic),
    }
    .map(drop)
}

/// Directory of the dynamically linked program and of the documents.
pub fn directory() -> PathBuf {
    build::target().join("dist")
}

/// Path of the program that [`program`] builds.
pub fn program_path(linkage: Linkage) -> PathBuf {
    match linkage {
        Linkage::Dynamic => directory().join("sniffer"),
        Linkage::Static => directory().join("static/sniffer"),
    }
}

/// Builds the program, which contains the page, stripped, and its symbols in `sniffer.debug` next to it.
/// The dynamically linked one also writes the documents. Returns the path of the program.
///
/// # Errors
///
/// If cargo, objcopy (binutils) or the program fails, or the compiler of musl is missing.
pub fn program(linkage: Linkage) -> Result<PathBuf> {
    let page = build::page()?;
    let mut cargo = build::cargo(["build", "--profile", "symbols", "--package", "sniffer"]);
    // The build fails without the page.
    cargo.env("SNIFFER_PAGE", page);
    let mut linked = build::target();
    if linkage == Linkage::Static {
        let target = format!("{ARCH}-unknown-linux-musl");
        debian::ensure(debian::FOR_STATIC)?;
        build::add_target(&target)?;
        cargo.args(["--target", &target]);
        linked.push(target);
    }
    build::run(&mut build::with_flags(cargo, &[])?)?;
    let program = program_path(linkage);
    create_parent(&program)?;
    separate_symbols(&linked.join("symbols/sniffer"), &program)?;
    println!(
        "program: {}\nsymbols: {}",
        Printable(program.display()),
        Printable(symbols_path(&program).display())
    );
    if linkage == Linkage::Dynamic {
        generate_documents(&program)?;
    }
    Ok(program)
}

/// Writes manual page and completions.
fn generate_documents(program: &Path) -> Result<()> {
    for (kind, name) in DOCUMENTS {
        let path = directory().join(name);
        create_parent(&path)?;
        let file =
            fs::File::create(&path).with_context(|| Printable(path.display()).to_string())?;
        build::run(Command::new(program).args(["--generate", kind]).stdout(file))?;
    }
    Ok(())
}

fn create_parent(path: &Path) -> Result<()> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory)
        .with_context(|| format!("creating {}", Printable(directory.display())))
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
