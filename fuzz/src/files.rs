//! Files that are opened in the page.

use flate2::read::MultiGzDecoder;
use std::io::{Read, Result};
use viewer::load::{FileRecord, Loader, Report, Sampling};
use viewer_store::columns::PacketRow;

/// Bytes of memory that loading a file of a few kilobytes may need: the largest window of the
/// Zstandard decoder is 100 MiB.
const MAX_MEMORY: u64 = 256 << 20;

/// Bytes of content up to which compressed files are compared with a reference.
const MAX_CONTENT_LEN: usize = 1 << 20;

/// The first bytes of a gzip member (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The first bytes of a Zstandard frame (RFC 8878, section 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The first bytes of a skippable frame but for their lowest four bits (RFC 8878, section 3.1.2).
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;

/// Content of a loaded file.
#[derive(Debug, PartialEq)]
pub(crate) struct Loaded {
    /// The report.
    pub(crate) report: Report,
    /// The packets.
    pub(crate) rows: Vec<PacketRow>,
}

/// Loads a file that arrives in chunks.
pub(crate) fn loaded(file: &[u8], chunk_len: usize) -> Loaded {
    let mut loader = Loader::whole(file.len() as u64, Sampling::default(), viewer_formats::open);
    for chunk in file.chunks(chunk_len.max(1)).chain([&[][..]]) {
        if loader.is_done() {
            break;
        }
        loader.feed(chunk);
    }
    let columns = loader.columns();
    let rows = (0..columns.len()).map(|row| columns.row(row)).collect();
    Loaded { report: loader.report(), rows }
}

/// Any bytes are a file whose content does not depend on the chunks in which it arrives, and each
/// packet of an uncompressed file can be reread from its offset.
pub(crate) fn load(input: &[u8]) {
    check(input, None);
    let mut loader = Loader::whole(input.len() as u64, Sampling::default(), viewer_formats::open);
    loader.feed(input);
    loader.feed(&[]);
    for row in 0..loader.columns().len() {
        let Some(offset) = loader.record_offset(row) else { return };
        let record = &input[usize::try_from(offset).expect("within the file")..];
        if let Ok(FileRecord { line, .. }) = loader.record(row, record) {
            assert!(!line.contains(&b'\n'));
        }
    }
}

/// The page decompresses the content that libzstd decompresses.
///
/// Input: a file without its magic number.
pub(crate) fn zstd(input: &[u8]) {
    let file = [&ZSTD_MAGIC, input].concat();
    let content = zstd::Decoder::new(&file[..]).and_then(content);
    check(&file, content.ok());
}

/// The page decompresses the content that another gzip decoder decompresses.
///
/// Input: a file without its magic number.
pub(crate) fn gzip(input: &[u8]) {
    let file = [&GZIP_MAGIC, input].concat();
    check(&file, content(MultiGzDecoder::new(&file[..])).ok());
}

/// The whole content; an empty one if it is longer than the limit.
fn content(reader: impl Read) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let len = reader.take(MAX_CONTENT_LEN as u64 + 1).read_to_end(&mut content)?;
    Ok(if len <= MAX_CONTENT_LEN { content } else { Vec::new() })
}

/// Returns true if the page decompresses a file with this content.
fn is_compressed(content: &[u8]) -> bool {
    let is_skippable = |magic: &[u8; 4]| u32::from_le_bytes(*magic) & !0xf == SKIPPABLE_MAGIC;
    content.starts_with(&GZIP_MAGIC)
        || content.starts_with(&ZSTD_MAGIC)
        || content.first_chunk().is_some_and(is_skippable)
}

/// Loads a file in different ways. `content` is the output of a reference decoder.
fn check(file: &[u8], content: Option<Vec<u8>>) {
    let mut whole = loaded(&[], 1);
    let memory = allocation_counter::measure(|| whole = loaded(file, file.len()));
    assert!(memory.bytes_max <= MAX_MEMORY, "{} bytes for {}", memory.bytes_max, file.len());
    let chunk_len = 1 + file.iter().map(|byte| usize::from(*byte)).sum::<usize>() % 100;
    let parts = loaded(file, chunk_len);
    let is_damaged = |loaded: &Loaded| {
        let mut reasons = loaded.report.problems.iter().map(|problem| &problem.reason);
        reasons.any(|reason| reason.starts_with("decompression failed"))
    };
    if is_damaged(&whole) || is_damaged(&parts) {
        // The content decompressed before the damage depends on the chunks.
        assert!(0 < whole.report.skipped && 0 < parts.report.skipped, "{chunk_len}");
        let common = whole.rows.len().min(parts.rows.len());
        assert_eq!(whole.rows[..common], parts.rows[..common]);
        return;
    }
    let read_bytes = whole.report.read_bytes;
    let same_reading = |mut loaded: Loaded| {
        loaded.report.read_bytes = read_bytes;
        loaded
    };
    assert_eq!(same_reading(parts), whole);
    // A compressed file in a compressed file is not decompressed twice.
    if let Some(content) = content.filter(|content| !content.is_empty() && !is_compressed(content))
    {
        assert_eq!(same_reading(loaded(&content, content.len())), whole);
    }
}
