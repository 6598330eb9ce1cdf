//! Builds the sniffer and the static site.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};
use summary::Printable;

/// Target triple of the viewer.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Largest allowed size of the first load, gzipped, in bytes: page, WebAssembly and JavaScript without
/// the modules that are loaded on first use.
pub const MAX_SITE_GZIP_LEN: usize = 350_000;

/// Largest allowed size of the workers' module, gzipped, in bytes.
pub const MAX_WORKER_GZIP_LEN: usize = 200_000;

/// Largest allowed size of the inspector, gzipped, in bytes.
pub const MAX_INSPECTOR_GZIP_LEN: usize = 200_000;

/// Largest allowed size of the readers of compressed files and capture files, gzipped, in bytes.
pub const MAX_FORMATS_GZIP_LEN: usize = 120_000;

/// Largest allowed size of the connection to sources that grow, gzipped, in bytes.
pub const MAX_FOLLOW_GZIP_LEN: usize = 80_000;

/// Largest allowed size of the analysis of connections, gzipped, in bytes.
pub const MAX_FLOWS_GZIP_LEN: usize = 120_000;

/// The WebAssembly modules of the site: the package with its feature for a module, and the name of its files.
const MODULES: [(&str, &str, &str); 6] = [
    ("viewer", "", "viewer"),
    ("viewer-worker", "module", "worker"),
    ("viewer-inspector", "", "inspector"),
    ("viewer-formats", "module", "formats"),
    ("viewer-follow", "module", "follow"),
    ("viewer-flows", "module", "flows"),
];

/// The packages of the WebAssembly modules.
pub(crate) fn module_packages() -> impl Iterator<Item = &'static str> {
    MODULES.into_iter().map(|(package, ..)| package)
}

/// Separates the flags in `CARGO_ENCODED_RUSTFLAGS`.
const FLAG_SEPARATOR: &str = "\u{1f}";

/// Hexadecimal digits of the site's version.
const VERSION_LEN: usize = 16;

/// The workspace's directory.
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| query_target().unwrap_or_else(|| root().join("target"))).clone()
}

fn query_target() -> Option<PathBuf> {
    let output = cargo(["metadata", "--no-deps", "--format-version", "1"]).output().ok()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(metadata["target_directory"].as_str()?.into())
}

/// Environment variable with the path of the sniffer that tests run instead of the release build.
pub(crate) const SNIFFER_VARIABLE: &str = "SNIFFER_PROGRAM";

/// Path of the binary that [`sniffer`] builds, or of the one to test instead.
pub fn sniffer_path() -> PathBuf {
    env::var_os(SNIFFER_VARIABLE).map_or_else(|| target().join("release/sniffer"), PathBuf::from)
}

/// Directory of the site that [`site`] builds. The build script of the sniffer looks for the page there.
pub fn site_path() -> PathBuf {
    target().join("site")
}

/// File name of the sample capture in the site.
const SAMPLE: &str = "sample.ndjson";

/// A cargo command that runs in the workspace.
pub fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    command
}

/// The directory in which cargo keeps the sources of dependencies.
///
/// # Errors
///
/// If neither `CARGO_HOME` nor `HOME` is set.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).context("HOME is not set")
}

/// Makes a cargo command compile with these flags, and with others that replace the paths of this
/// machine, which panic messages and debug information contain: the same sources then give the same
/// bytes on every machine.
pub(crate) fn with_flags(mut command: Command, flags: &[&str]) -> Result<Command> {
    let registry = cargo_home()?.join("registry/src");
    // rustc runs in the real directory of a package, also where cargo's home has symbolic links.
    let real = registry.canonicalize().unwrap_or_else(|_| registry.clone());
    let mut rust = OsString::from(flags.join(FLAG_SEPARATOR));
    let mut c = env::var_os("CFLAGS").unwrap_or_default();
    for (path, replacement) in [(registry, "registry"), (real, "registry"), (root(), "sniffer")] {
        if !rust.is_empty() {
            rust.push(FLAG_SEPARATOR);
        }
        for (flags, option) in
            [(&mut rust, "--remap-path-prefix="), (&mut c, " -ffile-prefix-map=")]
        {
            flags.push(option);
            flags.push(&path);
            flags.push(format!("={replacement}"));
        }
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", rust).env("CFLAGS", c);
    Ok(command)
}

/// Runs a command.
///
/// # Errors
///
/// If the command cannot be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

/// Builds the sniffer, optimized, and returns its path. It contains the [`page`] if that is built.
///
/// # Errors
///
/// If cargo fails.
pub fn sniffer() -> Result<PathBuf> {
    run(&mut cargo(["build", "--release", "--package", "sniffer"]))?;
    Ok(sniffer_path())
}

/// Builds the site: the [`page`], the [`sniffer`], which contains the page, and the sample, which the
/// sniffer writes.
///
/// # Errors
///
/// If a tool fails; the message names it.
pub fn site() -> Result<PathBuf> {
    page()?;
    sniffer()?;
    sample()
}

/// Writes the sample capture of the site, with the [`sniffer`].
///
/// # Errors
///
/// If the sniffer fails.
pub fn sample() -> Result<PathBuf> {
    let site = site_path();
    crate::sample::write(&sniffer_path(), &target(), &site.join(SAMPLE))?;
    println!("site: {}", Printable(site.display()));
    Ok(site)
}

/// Builds the site without the sample: the page, and WebAssembly with its JavaScript.
///
/// # Errors
///
/// If a tool fails; the message names it.
pub fn page() -> Result<PathBuf> {
    add_target(WASM_TARGET)?;
    MODULES.iter().try_for_each(|(package, features, _)| compile_module(package, features))?;
    let page = target().join("page");
    if page.exists() {
        fs::remove_dir_all(&page)
            .with_context(|| format!("clearing {}", Printable(page.display())))?;
    }
    fs::create_dir_all(&page)?;
    write_page(&page)?;
    let site = site_path();
    update(&site, &page)?;
    Ok(site)
}

/// Makes the files of `site` those of `page`, except for the sample. Files that stay the same keep their
/// times: cargo builds the sniffer again if one of them is newer.
fn update(site: &Path, page: &Path) -> Result<()> {
    fs::create_dir_all(site)?;
    for entry in fs::read_dir(site)? {
        let entry = entry?;
        let is_current = page.join(entry.file_name()).exists() || entry.file_name() == SAMPLE;
        if !is_current {
            fs::remove_file(entry.path())?;
        }
    }
    for entry in fs::read_dir(page)? {
        let entry = entry?;
        let (bytes, path) = (fs::read(entry.path())?, site.join(entry.file_name()));
        if fs::read(&path).ok().is_none_or(|current| current != bytes) {
            fs::write(path, bytes)?;
        }
    }
    Ok(())
}

/// Writes the files of the page to a directory.
fn write_page(site: &Path) -> Result<()> {
    for (package, _, name) in MODULES {
        let file = format!("wasm/{}.wasm", package.replace('-', "_"));
        wasm_bindgen_cli_support::Bindgen::new()
            .input_path(target().join(WASM_TARGET).join(file))
            .out_name(name)
            .web(true)?
            .typescript(false)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate(site)
            .with_context(|| format!("generating the JavaScript of {package}"))?;
    }
    for entry in fs::read_dir(root().join("www"))? {
        let entry = entry?;
        fs::copy(entry.path(), site.join(entry.file_name()))?;
    }
    for entry in fs::read_dir(site)? {
        let path = entry?.path();
        let smaller = match path.extension().and_then(OsStr::to_str) {
            Some("js") => without_comments,
            Some("css") => without_css_comments,
            _ => continue,
        };
        fs::write(&path, smaller(&fs::read_to_string(&path)?))?;
    }
    stamp_version(site)
}

/// JavaScript without indentation and the comments that have lines of their own: 3 kB of the first load. Those
/// of generated scripts are the documentation of the Rust code.
fn without_comments(script: &str) -> String {
    let is_code = |line: &&str| {
        let is_comment = ["//", "/**", "* "].iter().any(|start| line.starts_with(start));
        !is_comment && !matches!(*line, "*" | "*/")
    };
    script.lines().map(str::trim).filter(is_code).flat_map(|line| [line, "\n"]).collect()
}

/// A style sheet without comments and indentation.
fn without_css_comments(style: &str) -> String {
    let mut parts = style.split("/*");
    let code = parts.next().into_iter().chain(parts.filter_map(|part| part.split("*/").nth(1)));
    let code: String = code.collect();
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Compiles a WebAssembly module of the site.
fn compile_module(package: &str, features: &str) -> Result<()> {
    // As a cdylib only: cargo applies link-time optimization to no library that is also an rlib.
    let args = [
        ["rustc", "--lib"],
        ["--package", package],
        ["--features", features],
        ["--crate-type", "cdylib"],
        ["--target", WASM_TARGET],
        ["--profile", "wasm"],
    ];
    // All browsers support SIMD since 2023; the line reader uses it to find delimiters.
    run(&mut with_flags(cargo(args.as_flattened()), &["-Ctarget-feature=+simd128"])?)
}

/// Adds the version of the site, a hash of all its files, to the URLs in the page, so that browsers
/// never combine cached files of different versions.
fn stamp_version(site: &Path) -> Result<()> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(site)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut hasher = Sha256::new();
    for path in paths {
        // The hash of each file, so that moving bytes from one file to the next changes the result.
        hasher.update(Sha256::digest(path.file_name().unwrap_or_default().as_encoded_bytes()));
        hasher.update(Sha256::digest(fs::read(&path)?));
    }
    let hash = format!("{:x}", hasher.finalize());
    let page = site.join("index.html");
    let text = fs::read_to_string(&page)?;
    fs::write(&page, text.replace("?v=0", &format!("?v={}", &hash[..VERSION_LEN])))?;
    Ok(())
}

/// Installs components of the toolchain that are missing. Without rustup, the toolchain is left as it
/// is, and a missing component makes cargo fail with a message that names it.
///
/// # Errors
///
/// If rustup fails.
pub(crate) fn ensure_components(components: &[&str]) -> Result<()> {
    let mut rustup = Command::new("rustup");
    let status = rustup.args(["component", "add"]).args(components).current_dir(root()).status();
    match status {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("{rustup:?} failed: {status}"),
        Err(error) => Err(error).with_context(|| format!("starting {rustup:?}")),
    }
}

/// Adds a target to the toolchain unless it is installed.
///
/// # Errors
///
/// If rustup is missing or fails.
pub(crate) fn add_target(target: &str) -> Result<()> {
    let sysroot =
        Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()).output()?;
    let sysroot = String::from_utf8(sysroot.stdout)?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib").join(target);
    if library.exists() {
        return Ok(());
    }
    let added = run(Command::new("rustup").args(["target", "add", target]).current_dir(root()));
    added.with_context(|| {
        format!("the Rust target {target} is missing; install it with your toolchain")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_stay_the_same_keep_their_times() {
        let directory = tempfile::tempdir().unwrap();
        let [site, page] = ["site", "page"].map(|name| directory.path().join(name));
        fs::create_dir(&page).unwrap();
        for (name, text) in [("same", "1"), ("changed", "2"), ("old", "3")] {
            fs::write(page.join(name), text).unwrap();
        }
        update(&site, &page).unwrap();
        fs::write(site.join(SAMPLE), "sample").unwrap();
        let times = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
        fs::File::options().write(true).open(site.join("same")).unwrap().set_times(times).unwrap();
        fs::remove_file(page.join("old")).unwrap();
        fs::write(page.join("changed"), "4").unwrap();
        update(&site, &page).unwrap();
        let modified = fs::metadata(site.join("same")).unwrap().modified().unwrap();
        assert_eq!(modified, std::time::SystemTime::UNIX_EPOCH);
        assert_eq!(fs::read_to_string(site.join("changed")).unwrap(), "4");
        assert!(!site.join("old").exists() && site.join(SAMPLE).exists());
    }
}
