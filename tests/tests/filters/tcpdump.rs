//! Runs tcpdump as a compiler of expressions and as a filter of capture files.

use filter::{Instruction, LinkType, Options, Program, Source, compile};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use summary::capture_file::PcapFile;
use tempfile::TempDir;
use tests::corpus::{self, Frame};

/// All frames of the corpus with one link type, and a capture file of them for tcpdump. The time of a
/// frame in the file is its index, in seconds.
pub(crate) struct Traffic {
    pub(crate) link: LinkType,
    pub(crate) frames: Vec<Frame>,
    pub(crate) file: PathBuf,
}

/// The frames of the corpus, grouped by link type; `None` without a corpus.
pub(crate) fn traffic(directory: &TempDir) -> Option<Vec<Traffic>> {
    let mut by_link: BTreeMap<u16, Vec<Frame>> = BTreeMap::new();
    for frame in corpus::frames().unwrap()? {
        by_link.entry(frame.link.0).or_default().push(frame);
    }
    let traffic = by_link.into_iter().map(|(link, frames)| {
        let file = directory.path().join(format!("{link}.pcap"));
        fs::write(&file, pcap(link, &frames)).unwrap();
        Traffic { link: LinkType(link.into()), frames, file }
    });
    Some(traffic.collect())
}

/// A capture file with a packet per second from 1970 on.
fn pcap(link: u16, frames: &[Frame]) -> Vec<u8> {
    let mut file = PcapFile::new(link);
    for (second, frame) in (0..).zip(frames) {
        file.push_truncated(second * 1_000_000_000, &frame.bytes, frame.wire_len);
    }
    file.into_bytes()
}

/// Options for compiling like `tcpdump -r` does for these files.
pub(crate) fn options<'a>(names: &'a dyn filter::NameResolver) -> Options<'a> {
    Options { source: Source::File { big_endian: false }, names, ..Options::default() }
}

fn tcpdump(file: &Path) -> Command {
    let mut command = Command::new("tcpdump");
    command.args(["-Z", "root", "-r"]).arg(file).stdin(Stdio::null());
    command
}

/// tcpdump's program for a capture file, or its error message. If tcpdump reports that the expression
/// rejects all packets, a program that does so.
pub(crate) fn program(file: &Path, expression: &str, optimize: bool) -> Result<Program, String> {
    let form = if optimize { "-ddd" } else { "-dddO" };
    let output = tcpdump(file).args([form, "--", expression]).output().unwrap();
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        let message = message.lines().last().unwrap_or_default().trim_start_matches("tcpdump: ");
        return if message == REJECTS_ALL { Ok(reject_all()) } else { Err(message.to_owned()) };
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let instructions = text.lines().skip(1).map(|line| {
        let numbers: Vec<u32> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        Instruction {
            code: numbers[0].try_into().unwrap(),
            jt: numbers[1].try_into().unwrap(),
            jf: numbers[2].try_into().unwrap(),
            k: numbers[3],
        }
    });
    Ok(Program::new(instructions.collect()))
}

const REJECTS_ALL: &str = "expression rejects all packets";

fn reject_all() -> Program {
    Program::new(vec![Instruction::new(filter::code::RET, 0)])
}

/// Our program, with the same treatment of expressions that reject all packets.
pub(crate) fn compile_ours(
    expression: &str,
    link: LinkType,
    options: &Options<'_>,
) -> Result<Program, filter::Error> {
    compile(expression, link, options).or_else(|error| match error.message() {
        REJECTS_ALL => Ok(reject_all()),
        _ => Err(error),
    })
}

/// The indices of the frames that tcpdump accepts, or its error message.
pub(crate) fn accepted(file: &Path, expression: &str) -> Result<BTreeSet<usize>, String> {
    let output = tcpdump(file).args(["-w", "-", "--", expression]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    if message.ends_with(REJECTS_ALL) {
        return Ok(BTreeSet::new());
    }
    if !output.status.success() {
        return Err(message);
    }
    let word = |bytes: &[u8]| u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let (mut indices, mut rest) = (BTreeSet::new(), &output.stdout[24..]);
    while !rest.is_empty() {
        indices.insert(word(rest));
        rest = &rest[16 + word(&rest[8..])..];
    }
    Ok(indices)
}
