//! Unpacking of gzip (RFC 1952) and Zstandard (RFC 8878), pushed bytes in, pushed bytes out.

use super::gzip::{self, Gzip};
use ruzstd::decoding::FrameDecoder;

const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A skippable frame's magic number has any last hexadecimal digit (RFC 8878, 3.1.2); its length
/// follows.
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;
const SKIPPABLE_HEADER_LEN: usize = 8;

/// A frame's header has at most as many bytes (RFC 8878, 3.1.1.1), and a block's three.
const MAX_ZSTD_HEADER_LEN: usize = 18 + 3;

/// Bytes unpacked at once.
const PIECE_LEN: usize = 64 << 10;

/// What can be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// The packing of a file that begins so, if it is packed.
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

/// Unpacks a file of any number of members or frames.
#[derive(Debug)]
pub(super) enum Decompressor {
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

impl Decompressor {
    pub(super) fn new(packing: Compression) -> Self {
        match packing {
            Compression::Gzip => Self::Gzip(Box::default()),
            Compression::Zstd => Self::Zstd(Box::default()),
        }
    }

    /// Takes the next bytes of the file and hands on what they unpack to; none is the end.
    ///
    /// # Errors
    ///
    /// Where the file is damaged, or ends too early: in words. Of one with Zstandard what was in the
    /// decoder's window then is lost.
    pub(super) fn feed(&mut self, chunk: &[u8], visit: impl FnMut(&[u8])) -> Result<(), String> {
        match self {
            Self::Gzip(gzip) => gzip.feed(chunk, visit),
            Self::Zstd(zstd) => zstd.feed(chunk, visit),
        }
    }
}

/// Zstandard's frames, one behind the other.
#[derive(Default)]
pub(super) struct Zstd {
    decoder: Option<FrameDecoder>,
    /// Bytes that the decoder has not taken: it takes whole blocks only.
    rest: Vec<u8>,
    /// Bytes to pass over.
    skip: usize,
    piece: Vec<u8>,
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
        self.piece.resize(2 * PIECE_LEN, 0);
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

    /// Takes a block from the front of `bytes`, or what is left of the last one; returns how many
    /// bytes it took, `None` where there are too few.
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
                _ => self.begin(bytes),
            };
        };
        let step = decoder.decode_from_to(first_block(bytes), &mut self.piece);
        // What exactly is wrong is of use to nobody here, and 5 kB of the page in words.
        let (read, written) = step.map_err(|_| "its data is damaged".to_owned())?;
        // Of a checksum that is not all there it takes what there is not.
        let read = if bytes.len() < read { 0 } else { read };
        visit(&self.piece[..written]);
        if 0 < read || 0 < written {
            return Ok(Some(read));
        }
        if decoder.is_finished() {
            let expected = decoder.get_checksum_from_data();
            if expected.is_some() && expected != decoder.get_calculated_checksum() {
                return Err("its checksum is wrong".to_owned());
            }
            self.decoder = None;
            return Ok(Some(0));
        }
        if is_end { Err("unexpected end of file".to_owned()) } else { Ok(None) }
    }

    /// Begins a frame.
    fn begin(&mut self, bytes: &[u8]) -> Result<Option<usize>, String> {
        if is_skippable(bytes) {
            let len = bytes.get(4..).and_then(<[u8]>::first_chunk);
            let len = len.ok_or("unexpected end of file")?;
            self.skip = SKIPPABLE_HEADER_LEN + u32::from_le_bytes(*len) as usize;
            return Ok(Some(0));
        }
        if !bytes.starts_with(ZSTD_MAGIC) {
            return Err("something else follows".to_owned());
        }
        let mut decoder = FrameDecoder::new();
        let mut rest = bytes;
        decoder.init(&mut rest).map_err(|_| "its data is damaged".to_owned())?;
        self.decoder = Some(decoder);
        Ok(Some(bytes.len() - rest.len()))
    }
}

/// The front of `bytes`, with the block that begins there and what may follow the last one (RFC 8878,
/// 3.1.1.2): the decoder would keep in memory what all blocks that it gets unpack to.
fn first_block(bytes: &[u8]) -> &[u8] {
    const HEADER_LEN: usize = 3;
    const CHECKSUM_LEN: usize = 4;
    /// The kind of block that is one byte, repeated.
    const RLE: u32 = 1;
    let len = bytes.first_chunk().map_or(0, |[a, b, c]: &[u8; HEADER_LEN]| {
        let header = u32::from_le_bytes([*a, *b, *c, 0]);
        let is_last = header & 1 == 1;
        let content = if header >> 1 & 3 == RLE { 1 } else { header as usize >> 3 };
        // Where no block but the checksum is to come, that is in it too.
        (HEADER_LEN + content).max(CHECKSUM_LEN) + if is_last { CHECKSUM_LEN } else { 0 }
    });
    bytes.get(..len).filter(|front| !front.is_empty()).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
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

    fn unpack(packed: &[u8], chunk_len: usize) -> (Vec<u8>, Result<(), String>) {
        let mut unpacker = Decompressor::new(Compression::of(packed).unwrap());
        let mut unpacked = Vec::new();
        for chunk in packed.chunks(chunk_len).chain([&[][..]]) {
            let fed = unpacker.feed(chunk, |piece| unpacked.extend_from_slice(piece));
            if fed.is_err() {
                return (unpacked, fed);
            }
        }
        (unpacked, Ok(()))
    }

    fn text(len: usize) -> Vec<u8> {
        (0..len).flat_map(|number| format!("{} ", number * 7919 % 1_000_003).into_bytes()).collect()
    }

    #[test]
    fn a_cut_file_gives_what_it_has_and_says_so() {
        let plain = text(500_000);
        for packed in [gzip(&plain), zstd(&plain)] {
            let (unpacked, result) = unpack(&packed[..packed.len() / 2], 10_000);
            assert!(result.is_err() && plain.starts_with(&unpacked), "{result:?}");
            assert!(100_000 < unpacked.len(), "{}", unpacked.len());
        }
        let mut damaged = zstd(&plain);
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(unpack(&damaged, 10_000).1, Err("its checksum is wrong".to_owned()));
    }

    #[test]
    fn frames_may_be_passed_over() {
        let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let packed =
            [&skippable[..], &zstd(b"one"), &skippable, &zstd(b""), &zstd(b"two")].concat();
        for chunk_len in 1..40 {
            assert_eq!(unpack(&packed, chunk_len), (b"onetwo".to_vec(), Ok(())), "{chunk_len}");
        }
    }

    #[test]
    fn what_a_few_bytes_unpack_to_is_handed_on_piece_by_piece() {
        // A window of 128 KiB, then blocks of 128 KiB zeros in four bytes each, the last one marked.
        let mut packed = [ZSTD_MAGIC, &[0, 0x38]].concat();
        let block = |is_last: u32| ((128 << 10 << 3) | 1 << 1 | is_last).to_le_bytes();
        for number in 0..2_000 {
            packed.extend_from_slice(&block(u32::from(number == 1_999))[..3]);
            packed.push(0);
        }
        let mut zstd = Zstd { piece: vec![0; 2 * PIECE_LEN], ..Zstd::default() };
        let (mut left, mut len) = (&packed[..], 0);
        while let Ok(Some(taken)) = zstd.step(left, true, &mut |piece| len += piece.len()) {
            left = &left[taken..];
            let held = zstd.decoder.as_ref().map_or(0, FrameDecoder::can_collect);
            assert!(held <= 2 * PIECE_LEN, "{held} bytes wait");
        }
        assert_eq!((left.len(), len), (0, 2_000 * (128 << 10)));
    }

    proptest! {
        #[test]
        fn any_parts_in_any_chunks_give_the_whole(
            parts in proptest::collection::vec(0usize..3_000, 1..4),
            chunk_len in 1usize..5_000,
            is_zstd: bool,
        ) {
            let pack = if is_zstd { zstd } else { gzip };
            let parts: Vec<_> = parts.into_iter().map(text).collect();
            let packed: Vec<u8> = parts.iter().flat_map(|part| pack(part)).collect();
            prop_assert_eq!(unpack(&packed, chunk_len), (parts.concat(), Ok(())));
        }

        #[test]
        fn any_bytes_end(bytes: Vec<u8>, is_zstd: bool) {
            let magic = if is_zstd { ZSTD_MAGIC } else { gzip::MAGIC };
            let (unpacked, result) = unpack(&[magic, &bytes].concat(), 7);
            prop_assert!(result.is_err() || !unpacked.is_empty() || is_zstd);
        }
    }
}
