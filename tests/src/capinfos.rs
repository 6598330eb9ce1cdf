//! Wireshark's count of a capture file's packets: another's word beside ours.

use std::path::Path;
use std::process::Command;

/// What capinfos counts; `None` where it cannot be started or cannot read the file.
pub fn packets(file: &Path) -> Option<u64> {
    let output = Command::new("capinfos").args(["-c", "-M", "-T", "-r"]).arg(file).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().rsplit('\t').next()?.parse().ok()
}
