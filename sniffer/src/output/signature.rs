//! Recognizes files of the sniffer by their first bytes. Runs with full privileges, so it only
//! compares bytes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::compression::Compression;
use super::framing::Framing;

/// How a file starts, unless `--only` leaves `meta` out.
pub(super) const META_START: &[u8] = b"{\"type\":\"meta\",";

/// How a file of lines can start.
const LINE_STARTS: [&[u8]; 5] = [
    META_START,
    b"{\"type\":\"pkt\",",
    b"{\"type\":\"stats\",",
    b"{\"type\":\"event\",",
    b"{\"type\":\"end\",",
];

/// How a pcapng file starts: a section header, whose first option names the program. Each part has its
/// offset.
const BLOCK_START: [(usize, &[u8]); 2] = [(0, &[0x0a, 0x0d, 0x0d, 0x0a]), (28, b"sniffer ")];

/// The number of bytes to compare.
const START_LEN: usize = 36;

/// Opens a file without following links or waiting for the writer of a pipe.
pub(super) fn open(path: &Path, writable: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(writable).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path)
}

/// Whether a file starts like one of the sniffer, or is compressed in one of its formats. Also true
/// for an empty file, and one that ends early.
pub(super) fn matches(file: &File, framing: Framing) -> io::Result<bool> {
    let mut start = [0; START_LEN];
    let len = file.read_at(&mut start, 0)?;
    let start = &start[..len];
    Ok(is_start(start, framing) || Compression::from_magic(start) != Compression::None)
}

/// Whether uncompressed bytes start like a file of the sniffer, or end before that shows.
pub(super) fn is_start(bytes: &[u8], framing: Framing) -> bool {
    let has = |offset: usize, expected: &[u8]| {
        let found = bytes.get(offset..).unwrap_or_default();
        let len = expected.len().min(found.len());
        found[..len] == expected[..len]
    };
    match framing {
        Framing::Lines => LINE_STARTS.iter().any(|start| has(0, start)),
        Framing::Blocks => BLOCK_START.iter().all(|(offset, part)| has(*offset, part)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use summary::capture_file::{PcapngWriter, SectionOptions};

    #[test]
    fn files_are_recognized_by_their_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        for (bytes, expected) in [
            (&b"{\"type\":\"meta\",\"v\":1}\n"[..], true),
            (b"{\"type\":\"me", true),
            (b"", true),
            (b"\x1f\x8b\x08", true),
            (b"\x28\xb5\x2f\xfd", true),
            (b"{\"type\":\"pkt\",\"n\":1}\n", true),
            (b"{\"type\":\"event\",\"ts\":1}\n", true),
            (b"{\"type\":\"log\",\"n\":1}\n", false),
            (b"notes\n", false),
        ] {
            fs::write(&path, bytes).unwrap();
            let file = open(&path, false).unwrap();
            let found = matches(&file, Framing::Lines).unwrap();
            assert_eq!(found, expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn pcapng_files_name_the_program_that_wrote_them() {
        let mut bytes = Vec::new();
        for (application, expected) in
            [(Some("sniffer 0.1.0"), true), (Some("Dumpcap (Wireshark) 4"), false), (None, false)]
        {
            bytes.clear();
            let options = SectionOptions { application, ..SectionOptions::default() };
            PcapngWriter::new(&options, &mut bytes);
            bytes.extend([0; 20]);
            assert_eq!(is_start(&bytes, Framing::Blocks), expected, "{application:?}");
            assert!(is_start(&bytes[..28], Framing::Blocks));
            assert!(!is_start(&bytes, Framing::Lines));
        }
        assert!(!is_start(META_START, Framing::Blocks));
    }
}
