//! Passes what `--version` and the manual page report about the build to the compiler, and embeds the
//! page of `--serve`.

use flate2::{Compression, GzBuilder};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

/// Names the directory of the page. Without it, the page is embedded if `cargo xtask` has built it.
const PAGE_VARIABLE: &str = "SNIFFER_PAGE";

/// Extensions of the files that are embedded. The service worker is not: it would keep a copy of the page
/// for each run in the browser, because each has another address.
const EXTENSIONS: [&str; 4] = ["html", "css", "js", "wasm"];
const SERVICE_WORKER: &str = "service-worker.js";

/// The root tag of the page, and its replacement in a page that `--serve` serves. There, the page offers no
/// sample and registers no service worker.
const ROOT: &str = "<html ";
const SERVED_ROOT: &str = "<html data-served ";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    println!("cargo::rustc-env=SNIFFER_TARGET={}", variable("TARGET"));
    println!("cargo::rustc-env=SNIFFER_PROFILE={}", variable("PROFILE"));
    // Builds for development would be repeated after each commit.
    if variable("PROFILE") == "release" && is_own_checkout() {
        let commit = git(&["log", "-1", "--abbrev=12", "--format=%h"]).unwrap_or_default();
        let date = git(&["log", "-1", "--format=%cs"]).unwrap_or_default();
        println!("cargo::rustc-env=SNIFFER_COMMIT={commit}");
        println!("cargo::rustc-env=SNIFFER_DATE={date}");
        for path in ["HEAD", "logs/HEAD"] {
            if let Some(path) = git(&["rev-parse", "--git-path", path]) {
                println!("cargo::rerun-if-changed={path}");
            }
        }
    }
    println!("cargo::rerun-if-env-changed={PAGE_VARIABLE}");
    let files = match env::var_os("CARGO_FEATURE_SERVE") {
        Some(_) => page_files(),
        None => Vec::new(),
    };
    embed(&files);
}

/// The files of the page; none if it is not built.
///
/// # Panics
///
/// If the directory that the variable names has no page.
fn page_files() -> Vec<PathBuf> {
    let given = env::var_os(PAGE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let Some(directory) = given.clone().or_else(default_directory) else { return Vec::new() };
    if !directory.join("index.html").exists() {
        assert!(given.is_none(), "{} has no index.html", directory.display());
        // Cargo runs this script again when a directory changes, but each time if it is missing.
        if !directory.exists() && fs::create_dir_all(&directory).is_ok() {
            // Not newer than this run.
            let times = fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
            let _ = fs::File::open(&directory).and_then(|directory| directory.set_times(times));
        }
        println!("cargo::rerun-if-changed={}", directory.display());
        return Vec::new();
    }
    let entries = fs::read_dir(&directory).expect("the directory of the page");
    let mut files: Vec<_> =
        entries.map(|entry| entry.expect("a file of the page").path()).collect();
    files.retain(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
            && !path.ends_with(SERVICE_WORKER)
    });
    files.sort();
    files.iter().for_each(|path| println!("cargo::rerun-if-changed={}", path.display()));
    files
}

/// The directory `site` in cargo's target directory: the outermost one that cargo has marked.
fn default_directory() -> Option<PathBuf> {
    let out = PathBuf::from(env::var_os("OUT_DIR")?);
    let target = out.ancestors().filter(|path| path.join("CACHEDIR.TAG").exists()).last()?;
    Some(target.join("site"))
}

/// Compresses files, and writes the expression that embeds them: pairs of a name and bytes.
fn embed(files: &[PathBuf]) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut expression = String::from("&[\n");
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        let mut bytes = fs::read(path).expect("a file of the page");
        if name == "index.html" {
            let text = String::from_utf8(bytes).expect("a page in UTF-8");
            assert!(text.contains(ROOT), "{name} does not contain {ROOT}");
            bytes = text.replacen(ROOT, SERVED_ROOT, 1).into_bytes();
        }
        // Without name and time, the same page gives the same program.
        let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
        let compressed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
        fs::write(out.join(name), compressed.expect("writing to memory")).expect("writing a file");
        let _ = writeln!(
            expression,
            "({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/\", {name:?}))),"
        );
    }
    expression += "]\n";
    fs::write(out.join("page.rs"), expression).expect("writing the list of files");
}

/// Returns true if the package is in a checkout of its own repository. A source archive may have been
/// unpacked in that of another project.
fn is_own_checkout() -> bool {
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let root = Path::new(&package).parent().and_then(|root| root.canonicalize().ok());
    let top = git(&["rev-parse", "--show-toplevel"]);
    top.and_then(|top| Path::new(&top).canonicalize().ok()) == root && root.is_some()
}

/// The output of git; `None` if it fails or is missing. Users may build what belongs to another user,
/// which git refuses by default.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(["-c", "safe.directory=*"]).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim().to_owned())
}
