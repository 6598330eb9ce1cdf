//! Counts the packets of a capture file with Wireshark's capinfos.

use std::path::Path;
use std::process::Command;

/// Number of packets; `None` if capinfos cannot be started or cannot read the file.
pub fn packet_count(file: &Path) -> Option<u64> {
    let output = Command::new("capinfos").args(["-c", "-M", "-T", "-r"]).arg(file).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().rsplit('\t').next()?.parse().ok()
}
