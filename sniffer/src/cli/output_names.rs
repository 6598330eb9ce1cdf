//! Checks the names of outputs: their extensions, and templates of times.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use summary::Printable;

use crate::output::{Compression, expand};

/// File name extensions of capture files, which `-w` does not write.
const CAPTURE_EXTENSIONS: [&str; 4] = ["pcap", "pcapng", "cap", "dmp"];

/// File name extensions of text, which `--pcapng` does not write.
const TEXT_EXTENSIONS: [&str; 5] = ["ndjson", "jsonl", "json", "txt", "log"];

/// File name extensions of formats in which sniffer does not compress.
const UNSUPPORTED_COMPRESSION: [&str; 8] = ["lz4", "bz2", "xz", "lzma", "zip", "7z", "z", "br"];

/// Refuses names that promise a compression which sniffer does not have.
pub(super) fn check_compression(option: &str, path: &Path) -> Result<(), String> {
    match extension(path) {
        Some(last) if UNSUPPORTED_COMPRESSION.contains(&last.as_str()) => Err(format!(
            "{option} {}: cannot compress to .{last}; use .gz or .zst, or {option} - and a pipe",
            Printable(path.display())
        )),
        _ => Ok(()),
    }
}

/// Refuses names of capture files for lines.
pub(super) fn check_extension(path: &Path) -> Result<(), String> {
    let (inner, stem) = inner_extension(path);
    match inner {
        // tcpdump appends numbers.
        Some(inner) if CAPTURE_EXTENSIONS.contains(&inner.trim_end_matches(char::is_numeric)) => {
            Err(format!(
                "-w {}: -w writes JSON lines, e.g. to {}.ndjson; to write packets: --pcapng FILE",
                Printable(path.display()),
                Printable(stem)
            ))
        }
        _ => Ok(()),
    }
}

/// Refuses names of text files for packets.
pub(super) fn check_packet_extension(path: &Path) -> Result<(), String> {
    let (inner, stem) = inner_extension(path);
    match inner {
        Some(inner) if TEXT_EXTENSIONS.contains(&inner.as_str()) => Err(format!(
            "--pcapng {}: --pcapng writes packets, e.g. to {}.pcapng; to write lines: -w FILE",
            Printable(path.display()),
            Printable(stem)
        )),
        _ => Ok(()),
    }
}

/// The last extension of a name in lower case, and the name without it. An extension of a compression
/// format is left out.
fn inner_extension(path: &Path) -> (Option<String>, String) {
    let last = extension(path);
    let is_compressed =
        last.as_ref().is_some_and(|last| Compression::from_extension(last.as_ref()).is_some());
    let path = if is_compressed { path.with_extension("") } else { path.to_owned() };
    let stem = path.with_extension("");
    (extension(&path), stem.display().to_string())
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|text| text.to_string_lossy().to_ascii_lowercase())
}

/// Refuses templates of strftime(3) that are invalid or change the structure of a path.
pub(super) fn check_template(option: &str, path: &Path) -> Result<(), String> {
    let expanded = expand(path, &jiff::Zoned::now()).map_err(|error| error.to_string())?;
    if has_same_structure(path, &expanded) {
        return Ok(());
    }
    Err(format!(
        "{option} {}: a directive stands for a text with `/` or control characters; use %Y-%m-%d for \
         dates",
        Printable(path.display())
    ))
}

/// Whether the text of no directive splits a component or contains control characters.
fn has_same_structure(template: &Path, expanded: &Path) -> bool {
    let controls =
        |path: &Path| path.as_os_str().as_bytes().iter().filter(|b| b.is_ascii_control()).count();
    template.components().count() == expanded.components().count()
        && controls(template) == controls(expanded)
}
