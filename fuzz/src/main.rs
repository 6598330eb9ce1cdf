//! Makes seeds from capture files: `fuzz CAPTURES SEEDS` reads the files in the directories of CAPTURES and
//! writes inputs for libFuzzer to SEEDS/LAW.

use std::collections::HashSet;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::{env, fs};
use summary::capture_file::{Frame, Reader, Step};
use summary::{Packet, PayloadNames, decode_with_payload, line};

/// The length of files that are seeds as a whole, and of frames, in bytes.
const MAX_LEN: usize = 4 << 10;

/// Maximum number of seeds with the same link type and protocol.
const MAX_ALIKE: usize = 4;

/// Length of the section header that `pcapng` starts with.
const SECTION_LEN: usize = 28;

fn main() -> Result<()> {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let (Some(captures), Some(seeds)) = (args.next(), args.next()) else {
        return Err(std::io::Error::other("usage: fuzz CAPTURES SEEDS"));
    };
    let mut writer = SeedWriter { root: seeds, alike: Vec::new(), written: HashSet::new() };
    for directory in fs::read_dir(captures)? {
        for entry in fs::read_dir(directory?.path())? {
            let path = entry?.path();
            if path.is_file() {
                writer.add_file(&fs::read(path)?)?;
            }
        }
    }
    Ok(())
}

struct SeedWriter {
    root: PathBuf,
    /// Link type and protocol of the frames so far.
    alike: Vec<(u16, String)>,
    written: HashSet<PathBuf>,
}

impl SeedWriter {
    fn add_file(&mut self, file: &[u8]) -> Result<()> {
        if file.len() <= MAX_LEN {
            for law in ["pcap", "load"] {
                self.write(law, &[file])?;
            }
            if file.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0]) {
                self.write("pcapng", &[&[0], file.get(SECTION_LEN..).unwrap_or_default()])?;
            }
        }
        let (mut reader, mut rest) = (Reader::new(), file);
        while let Ok(step) = reader.step(rest) {
            match step {
                Step::Frame { consumed, frame } => {
                    self.add_frame(&frame)?;
                    rest = &rest[consumed..];
                }
                Step::Skipped { consumed } => rest = &rest[consumed..],
                Step::NeedMore { .. } => break,
            }
        }
        Ok(())
    }

    fn add_frame(&mut self, frame: &Frame<'_>) -> Result<()> {
        let decoded = decode_with_payload(frame.link, frame.bytes, frame.wire_len);
        let mut buf = String::new();
        let names = PayloadNames::parse(&decoded.summary, decoded.payload, &mut buf);
        let kind = (frame.link.0, format!("{} {}", decoded.summary.proto, names.is_empty()));
        let is_common = MAX_ALIKE <= self.alike.iter().filter(|other| **other == kind).count();
        if is_common || MAX_LEN < frame.bytes.len() {
            return Ok(());
        }
        self.alike.push(kind);
        let missing = frame.wire_len.saturating_sub(decoded.summary.cap);
        let missing = u16::try_from(missing).unwrap_or(u16::MAX);
        let (link, missing) = (frame.link.0.to_le_bytes(), missing.to_le_bytes());
        self.write("decode", &[&link, &missing, frame.bytes])?;
        self.write("packet_filter", &[&[0, 0], frame.bytes])?;
        if !names.is_empty() {
            let is_tcp = u8::from(decoded.summary.proto.name() == "tcp");
            let is_dns = u8::from(names.dns.is_some());
            self.write("names", &[&[is_tcp | is_dns << 1], decoded.payload])?;
        }
        let packet = Packet { names, ..Packet::new(1, frame.ts, decoded.summary) };
        let mut text = Vec::new();
        line::Writer::default().write(&packet, &mut text);
        self.write("line", &[&text])?;
        self.write("generic_json", &[&text])
    }

    /// Writes a seed, whose name is a number.
    fn write(&mut self, law: &str, parts: &[&[u8]]) -> Result<()> {
        let directory = self.root.join(law);
        if self.written.insert(directory.clone()) {
            clear(&directory)?;
        }
        let number = fs::read_dir(&directory)?.count();
        fs::write(directory.join(number.to_string()), parts.concat())
    }
}

/// Creates a directory, without the seeds of an earlier run.
fn clear(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)
}
