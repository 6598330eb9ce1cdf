//! Builds the sniffer and the static site.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fs::Permissions;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// What page, wasm and glue have together at most, gzipped.
pub const MAX_SITE_GZIP_LEN: usize = 250_000;

/// The workspace's directory.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where cargo puts what it builds, as cargo itself says.
pub fn target() -> PathBuf {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| asked_target().unwrap_or_else(|| root().join("target"))).clone()
}

fn asked_target() -> Option<PathBuf> {
    let output = cargo(["metadata", "--no-deps", "--format-version", "1"]).output().ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(metadata["target_directory"].as_str()?.into())
}

/// The sniffer that [`sniffer`] builds.
pub fn sniffer_path() -> PathBuf {
    target().join("release/sniffer")
}

/// The site that [`site`] builds.
pub fn site_path() -> PathBuf {
    target().join("site")
}

/// A cargo command in the workspace.
pub fn cargo<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(words);
    command
}

/// Runs a command and fails where it does.
///
/// # Errors
///
/// Where it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

/// Builds the sniffer, optimized.
///
/// # Errors
///
/// Where cargo fails.
pub fn sniffer() -> Result<PathBuf> {
    run(&mut cargo(["build", "--release", "--package", "sniffer"]))?;
    Ok(sniffer_path())
}

/// Builds the site: page, wasm with its glue, and the sample, captured by the sniffer.
///
/// # Errors
///
/// Where a tool fails; the message says which.
pub fn site() -> Result<PathBuf> {
    add_wasm_target()?;
    // As a cdylib alone: cargo optimizes no library at link time that is to be an rlib too.
    let words = [
        ["rustc", "--lib"],
        ["--package", "viewer"],
        ["--crate-type", "cdylib"],
        ["--target", WASM_TARGET],
        ["--profile", "wasm"],
    ];
    // SIMD is in all browsers since 2023, and finds line feeds and quotation marks many at a time.
    let flags = (
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
        "-C target-feature=+simd128 -C llvm-args=--inline-threshold=5",
    );
    run(cargo(words.as_flattened()).env(flags.0, flags.1))?;
    let site = site_path();
    if site.exists() {
        fs::remove_dir_all(&site).with_context(|| format!("emptying {}", site.display()))?;
    }
    fs::create_dir_all(&site)?;
    let wasm = target().join(WASM_TARGET).join("wasm/viewer.wasm");
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&wasm)
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&site)
        .context("making the wasm's JavaScript")?;
    crate::pack::pack(&site.join("viewer_bg.wasm"), &site.join("viewer.js"))?;
    for entry in fs::read_dir(root().join("www"))? {
        let entry = entry?;
        fs::copy(entry.path(), site.join(entry.file_name()))?;
    }
    for entry in fs::read_dir(&site)? {
        crate::pack::minify(&entry?.path())?;
    }
    stamp(&site)?;
    sniffer()?;
    let sample = site.join("sample.ndjson");
    match crate::capture::in_namespace(&sample, None) {
        // A capture is its owner's; the sample is everybody's, a web server's user included.
        Ok(()) => fs::set_permissions(&sample, Permissions::from_mode(0o644))?,
        Err(error) => println!("the site has no sample: {error:#}"),
    }
    println!("site: {}", site.display());
    Ok(site)
}

/// Gives the files that the page names the version of all files together: none of them is taken for
/// one of another version, whatever a browser has kept.
fn stamp(site: &Path) -> Result<()> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(site)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut hasher = DefaultHasher::new();
    for path in paths {
        path.file_name().hash(&mut hasher);
        fs::read(&path)?.hash(&mut hasher);
    }
    let page = site.join("index.html");
    let text = fs::read_to_string(&page)?;
    fs::write(&page, text.replace("?v=0", &format!("?v={:016x}", hasher.finish())))?;
    Ok(())
}

/// Adds the wasm target to the toolchain where it is missing.
fn add_wasm_target() -> Result<()> {
    let sysroot =
        Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()).output()?;
    let sysroot = String::from_utf8(sysroot.stdout)?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib").join(WASM_TARGET);
    if library.exists() {
        return Ok(());
    }
    let added =
        run(Command::new("rustup").args(["target", "add", WASM_TARGET]).current_dir(root()));
    added.with_context(|| {
        format!(
            "the viewer needs the Rust target {WASM_TARGET}: add it with your toolchain's means"
        )
    })
}
