//! Decompression of gzip (RFC 1952) and Zstandard (RFC 8878) as bytes arrive.

use super::gzip::{self, Gzip};
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::FrameDecoderError;

const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Magic number of a skippable frame, with any last hexadecimal digit (RFC 8878, 3.1.2). The length of
/// its content follows.
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;
const SKIPPABLE_HEADER_LEN: usize = 8;

/// The longest header of a frame (RFC 8878, 3.1.1.1), with the header of its first block.
const MAX_ZSTD_HEADER_LEN: usize = 18 + 3;

/// Half of the output buffer, in bytes.
const PIECE_LEN: usize = 64 << 10;

/// A compression format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// The compression format of a file that begins with these bytes; `None` if it is not compressed.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(gzip::MAGIC) {
            return Some(Self::Gzip);
        }
        (start.starts_with(ZSTD_MAGIC) || is_skippable(start)).then_some(Self::Zstd)
    }
}

fn is_skippable(start: &[u8]) -> bool {
    let magic = start.first_chunk().map(|magic| u32::from_le_bytes(*magic) & !0xf);
    magic == Some(SKIPPABLE_MAGIC)
}

/// Decompresses a file of any number of members or frames.
#[derive(Debug)]
pub(super) enum Decompressor {
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

impl Decompressor {
    pub(super) fn new(compression: Compression) -> Self {
        match compression {
            Compression::Gzip => Self::Gzip(Box::default()),
            Compression::Zstd => Self::Zstd(Box::default()),
        }
    }

    /// Takes the next bytes of the file and passes on the decompressed bytes. An empty chunk is the end
    /// of the file.
    ///
    /// # Errors
    ///
    /// A message if the file is damaged or truncated. With Zstandard, bytes in the decoder's window are
    /// lost then.
    pub(super) fn feed(&mut self, chunk: &[u8], visit: impl FnMut(&[u8])) -> Result<(), String> {
        match self {
            Self::Gzip(gzip) => gzip.feed(chunk, visit),
            Self::Zstd(zstd) => zstd.feed(chunk, visit),
        }
    }
}

/// Decompresses a sequence of Zstandard frames. ruzstd's streaming decoder reads from a source; here
/// bytes are pushed, hence this loop around its frame decoder.
#[derive(Default)]
pub(super) struct Zstd {
    decoder: Option<FrameDecoder>,
    /// Bytes that the decoder has not consumed: it consumes whole blocks only.
    rest: Vec<u8>,
    /// The number of bytes to skip.
    skip: usize,
    /// Output buffer.
    output: Vec<u8>,
}

impl std::fmt::Debug for Zstd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Zstd").field("rest", &self.rest.len()).finish_non_exhaustive()
    }
}

impl Zstd {
    fn feed(&mut self, chunk: &[u8], mut visit: impl FnMut(&[u8])) -> Result<(), String> {
        let is_end = chunk.is_empty();
        self.rest.extend_from_slice(chunk);
        self.output.resize(2 * PIECE_LEN, 0);
        let rest = std::mem::take(&mut self.rest);
        let mut left = &rest[..];
        let result = loop {
            let skipped = self.skip.min(left.len());
            self.skip -= skipped;
            left = &left[skipped..];
            match self.step(left, is_end, &mut visit) {
                Ok(Some(len)) => left = &left[len..],
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.rest = left.to_vec();
        result
    }

    /// Decodes a block at the start of `bytes`, or passes on pending output. Returns the number of bytes
    /// consumed, `None` if there are too few.
    fn step(
        &mut self,
        bytes: &[u8],
        is_end: bool,
        visit: &mut impl FnMut(&[u8]),
    ) -> Result<Option<usize>, String> {
        let Some(decoder) = &mut self.decoder else {
            return match bytes {
                [] if is_end && 0 < self.skip => Err("unexpected end of file".to_owned()),
                [] => Ok(None),
                _ if bytes.len() < MAX_ZSTD_HEADER_LEN && !is_end => Ok(None),
                _ => self.start_frame(bytes),
            };
        };
        let step = decoder.decode_from_to(first_block(bytes), &mut self.output);
        let (read, written) = step.map_err(|error| error_text(&error))?;
        // At an incomplete checksum, the decoder reports more bytes than it was given.
        let read = if bytes.len() < read { 0 } else { read };
        visit(&self.output[..written]);
        if 0 < read || 0 < written {
            return Ok(Some(read));
        }
        if decoder.is_finished() {
            let expected = decoder.get_checksum_from_data();
            if expected.is_some() && expected != decoder.get_calculated_checksum() {
                return Err("checksum mismatch".to_owned());
            }
            self.decoder = None;
            return Ok(Some(0));
        }
        if !is_end {
            return Ok(None);
        }
        self.flush_window(visit);
        Err("unexpected end of file".to_owned())
    }

    /// Passes on the bytes that the decoder of a truncated frame retains. It releases its window only at the end of
    /// a frame, so it gets an empty last block, which the bytes of a checksum may follow (RFC 8878,
    /// section 3.1.1.2).
    fn flush_window(&mut self, visit: &mut impl FnMut(&[u8])) {
        let Some(mut decoder) = self.decoder.take() else { return };
        let mut rest = &[1, 0, 0, 0, 0, 0, 0][..];
        while let Ok((read, written)) = decoder.decode_from_to(rest, &mut self.output)
            && (0 < read || 0 < written)
        {
            visit(&self.output[..written]);
            rest = rest.get(read..).unwrap_or_default();
        }
    }

    /// Starts a frame.
    fn start_frame(&mut self, bytes: &[u8]) -> Result<Option<usize>, String> {
        if is_skippable(bytes) {
            let len = bytes.get(4..).and_then(<[u8]>::first_chunk);
            let len = len.ok_or("unexpected end of file")?;
            self.skip = SKIPPABLE_HEADER_LEN + u32::from_le_bytes(*len) as usize;
            return Ok(Some(0));
        }
        if !bytes.starts_with(ZSTD_MAGIC) {
            return Err("trailing data is not a Zstandard frame".to_owned());
        }
        let mut decoder = FrameDecoder::new();
        let mut rest = bytes;
        decoder.init(&mut rest).map_err(|error| error_text(&error))?;
        self.decoder = Some(decoder);
        Ok(Some(bytes.len() - rest.len()))
    }
}

/// The error texts of ruzstd describe its internal steps, and would add 5 kB to the compressed page.
fn error_text(error: &FrameDecoderError) -> String {
    match error {
        FrameDecoderError::WindowSizeTooBig { .. } => "the window is larger than 128 MiB",
        FrameDecoderError::DictNotProvided { .. } => "a dictionary is required",
        _ => "corrupt Zstandard data",
    }
    .to_owned()
}

/// The block at the start of `bytes`, with what may follow the last block (RFC 8878, 3.1.1.2). Given
/// several blocks, the decoder would hold the content of all of them in memory.
fn first_block(bytes: &[u8]) -> &[u8] {
    const HEADER_LEN: usize = 3;
    const CHECKSUM_LEN: usize = 4;
    /// Type of a block with one repeated byte.
    const RLE: u32 = 1;
    let len = bytes.first_chunk().map_or(0, |[a, b, c]: &[u8; HEADER_LEN]| {
        let header = u32::from_le_bytes([*a, *b, *c, 0]);
        let is_last = header & 1 == 1;
        let content = if header >> 1 & 3 == RLE { 1 } else { header as usize >> 3 };
        // Also covers a checksum alone, after the last block.
        (HEADER_LEN + content).max(CHECKSUM_LEN) + if is_last { CHECKSUM_LEN } else { 0 }
    });
    bytes.get(..len).filter(|block| !block.is_empty()).unwrap_or(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decompress(compressed: &[u8], chunk_len: usize) -> (Vec<u8>, Result<(), String>) {
        let mut decompressor = Decompressor::new(Compression::of(compressed).unwrap());
        let mut decompressed = Vec::new();
        for chunk in compressed.chunks(chunk_len).chain([&[][..]]) {
            let fed = decompressor.feed(chunk, |piece| decompressed.extend_from_slice(piece));
            if fed.is_err() {
                return (decompressed, fed);
            }
        }
        (decompressed, Ok(()))
    }

    fn text(len: usize) -> Vec<u8> {
        (0..len).flat_map(|number| format!("{} ", number * 7919 % 1_000_003).into_bytes()).collect()
    }

    #[test]
    fn truncated_file_gives_its_content_and_an_error() {
        let plain = text(500_000);
        for compressed in [gzip(&plain), zstd(&plain)] {
            let (decompressed, result) = decompress(&compressed[..compressed.len() / 2], 10_000);
            assert!(result.is_err() && plain.starts_with(&decompressed), "{result:?}");
            assert!(100_000 < decompressed.len(), "{}", decompressed.len());
            let end = compressed.len() - 4;
            let (decompressed, result) = decompress(&compressed[..end], 10_000);
            assert!(result.is_err() && decompressed == plain, "{result:?}, {}", decompressed.len());
        }
        let mut damaged = zstd(&plain);
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(decompress(&damaged, 10_000).1, Err("checksum mismatch".to_owned()));
    }

    #[test]
    fn skippable_frames_are_skipped() {
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let compressed =
            [&skippable[..], &zstd(b"one"), &skippable, &zstd(b""), &zstd(b"two")].concat();
        for chunk_len in 1..40 {
            assert_eq!(
                decompress(&compressed, chunk_len),
                (b"onetwo".to_vec(), Ok(())),
                "{chunk_len}"
            );
        }
    }

    #[test]
    fn highly_compressed_blocks_are_passed_on_in_bounded_pieces() {
        // A window of 128 KiB, then blocks of four bytes that each expand to 128 KiB of zeros.
        let mut compressed = [ZSTD_MAGIC, &[0, 0x38]].concat();
        let block = |is_last: u32| ((128 << 10 << 3) | 1 << 1 | is_last).to_le_bytes();
        for number in 0..2_000 {
            compressed.extend_from_slice(&block(u32::from(number == 1_999))[..3]);
            compressed.push(0);
        }
        let mut zstd = Zstd { output: vec![0; 2 * PIECE_LEN], ..Zstd::default() };
        let (mut left, mut len) = (&compressed[..], 0);
        while let Ok(Some(consumed)) = zstd.step(left, true, &mut |piece| len += piece.len()) {
            left = &left[consumed..];
            let held = zstd.decoder.as_ref().map_or(0, FrameDecoder::can_collect);
            assert!(held <= 2 * PIECE_LEN, "{held} bytes buffered");
        }
        assert_eq!((left.len(), len), (0, 2_000 * (128 << 10)));
    }

    proptest! {
        #[test]
        fn chunks_and_frames_do_not_change_the_content(
            parts in proptest::collection::vec(0usize..3_000, 1..4),
            chunk_len in 1usize..5_000,
            is_zstd: bool,
        ) {
            let compress = if is_zstd { zstd } else { gzip };
            let parts: Vec<_> = parts.into_iter().map(text).collect();
            let compressed: Vec<u8> = parts.iter().flat_map(|part| compress(part)).collect();
            prop_assert_eq!(decompress(&compressed, chunk_len), (parts.concat(), Ok(())));
        }

        #[test]
        fn arbitrary_bytes_terminate(bytes: Vec<u8>, is_zstd: bool) {
            let magic = if is_zstd { ZSTD_MAGIC } else { gzip::MAGIC };
            let (decompressed, result) = decompress(&[magic, &bytes].concat(), 7);
            prop_assert!(result.is_err() || !decompressed.is_empty() || is_zstd);
        }
    }
}
