//! Writes the page's sample capture: the sniffer reads the frames of [`scenario`] from a pcap file.

use anyhow::{Context, Result, bail};
use std::borrow::Cow;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use summary::Printable;
use summary::capture_file::PcapFile;

use crate::scenario;

const LINKTYPE_ETHERNET: u16 = 1;
/// Name of the capture file; the sample's `meta` record contains it.
const PCAP_NAME: &str = "office.pcap";
/// Wall clock in the records of the sample: an hour after the first packet.
const SAMPLE_TIME: &str = "2026-03-02T10:00:00.000000000Z";

/// Writes the sample. `sniffer` is the program, `directory` is for the pcap file.
///
/// # Errors
///
/// If a file cannot be written, or the sniffer fails.
pub fn write(sniffer: &Path, directory: &Path, sample: &Path) -> Result<()> {
    let mut file = PcapFile::new(LINKTYPE_ETHERNET);
    for frame in scenario::frames() {
        file.push(frame.ts_ns, &frame.bytes);
    }
    let pcap = directory.join(PCAP_NAME);
    fs::write(&pcap, file.into_bytes())
        .with_context(|| format!("writing {}", Printable(pcap.display())))?;
    // A relative name, which is the same on every machine.
    let mut command = Command::new(sniffer);
    command.current_dir(directory).args(["-q", "--names", "-r", PCAP_NAME, "--force", "-w"]);
    let status = command.arg(sample).status().with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        bail!("writing the sample: {command:?} failed: {status}");
    }
    let text = fs::read_to_string(sample)?;
    let lines: Vec<_> = text.lines().map(without_build_details).collect();
    fs::write(sample, lines.join("\n") + "\n")?;
    // Captures are private to their owner; a web server's user has to read the sample.
    Ok(fs::set_permissions(sample, Permissions::from_mode(0o644))?)
}

/// A line without the host name and the wall clock of the machine that builds the site, so that every
/// build has the same sample. Packets contain neither.
fn without_build_details(line: &str) -> Cow<'_, str> {
    if line.starts_with(r#"{"type":"pkt","#) {
        return line.into();
    }
    let mut line = line.to_owned();
    for key in [r#""start":""#, r#""ts":""#] {
        if let Some(value) = line.find(key).map(|at| at + key.len()) {
            line.replace_range(value..value + SAMPLE_TIME.len(), SAMPLE_TIME);
        }
    }
    if let Some(host) = line.find(r#""host":""#)
        && let Some(len) = line[host..].find("\",")
    {
        line.replace_range(host..host + len + 2, "");
    }
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use summary::line::parse;

    #[test]
    fn sample_names_neither_host_nor_time_of_the_build() {
        let meta = concat!(
            r#"{"type":"meta","v":1,"tool":"sniffer","version":"0.1.0","#,
            r#""start":"2026-11-25T18:23:38.173279503Z","host":"vm","source":"file","#,
            r#""snaplen":262144,"interfaces":[]}"#
        );
        let end = concat!(
            r#"{"type":"end","ts":"2026-11-25T18:23:38.209722839Z","reason":"eof","#,
            r#""recv":1,"drop":0,"out":1,"skip":0,"bytes":60}"#
        );
        let packet =
            r#"{"type":"pkt","n":1,"ts":"2026-03-02T09:00:01.000000000Z","len":60,"proto":"arp"}"#;
        for line in [meta, end, packet] {
            let line = without_build_details(line);
            assert!(!line.contains("2026-11") && !line.contains("host"), "{line}");
            assert!(line.contains("\"2026-03-02T"), "{line}");
            parse(line.as_bytes()).unwrap();
        }
    }
}
