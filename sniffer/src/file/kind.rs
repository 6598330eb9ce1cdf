//! Files that are not captures, recognized by their first bytes for the error message.

use std::str;

/// Bytes that are inspected to recognize text.
const TEXT_LEN: usize = 512;

/// A kind of file that sniffer does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    SnifferOutput,
    Json,
    Bzip2,
    Lz4,
    Zip,
    /// RFC 1761.
    Snoop,
    Text,
}

impl FileKind {
    /// The kind of a file that starts with these bytes; `None` if it is unknown.
    pub(super) fn detect(start: &[u8]) -> Option<Self> {
        match start {
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4), // a frame (lz4_Frame_format.md)
            [b'P', b'K', 3, 4, ..] => Some(Self::Zip),
            [b's', b'n', b'o', b'o', b'p', 0, 0, 0, ..] => Some(Self::Snoop),
            _ if !is_text(start) => None,
            _ if start.starts_with(b"{\"type\":\"") => Some(Self::SnifferOutput),
            _ if start.starts_with(b"{") || start.starts_with(b"[") => Some(Self::Json),
            _ => Some(Self::Text),
        }
    }

    /// The format of the file and what to do with it, after `not a pcap or pcapng file but`.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::SnifferOutput => "the output of sniffer; open it in the viewer",
            Self::Json => "JSON; the viewer opens files with one JSON object per line",
            Self::Bzip2 => "compressed with bzip2; use: bzip2 -dc FILE | sniffer -r -",
            Self::Lz4 => "compressed with lz4; use: lz4 -dc FILE | sniffer -r -",
            Self::Zip => "a zip archive; use: unzip -p FILE | sniffer -r -",
            Self::Snoop => "a snoop file; convert it with: editcap FILE FILE.pcapng",
            Self::Text => "text; write capture files with tcpdump -w",
        }
    }
}

/// Whether a file starts with readable text. The last character may be incomplete.
fn is_text(start: &[u8]) -> bool {
    let start = &start[..start.len().min(TEXT_LEN)];
    let text = match str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_kinds_by_content() {
        let long_text = "packet 1: ä\n".repeat(100);
        for (start, kind) in [
            (&b"{\"type\":\"meta\",\"v\":1"[..], Some(FileKind::SnifferOutput)),
            (b"{\"time\":1}", Some(FileKind::Json)),
            (b"[{}]", Some(FileKind::Json)),
            (b"BZh91AY&SY", Some(FileKind::Bzip2)),
            (b"\x04\x22\x4d\x18\x64\x40", Some(FileKind::Lz4)),
            (b"PK\x03\x04\x14\x00", Some(FileKind::Zip)),
            (b"snoop\0\0\0\0\0\0\x02", Some(FileKind::Snoop)),
            (long_text.as_bytes(), Some(FileKind::Text)),
            (b"10:00:00 IP a > b\xc3", Some(FileKind::Text)),
            (b"\x80\xff\0\x01", None),
            (b"text\0", None),
            (b"", None),
        ] {
            assert_eq!(FileKind::detect(start), kind, "{start:?}");
        }
    }
}
