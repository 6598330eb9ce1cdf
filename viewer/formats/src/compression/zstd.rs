//! Decompresses Zstandard (RFC 8878) as bytes arrive.

use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::FrameDecoderError;

use super::Decompress;

pub(crate) const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Magic number of a skippable frame, with any last hexadecimal digit (RFC 8878, 3.1.2). The length of
/// its content follows.
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;
const SKIPPABLE_HEADER_LEN: usize = 8;

/// The longest header of a frame (RFC 8878, 3.1.1.1), with the header of its first block.
const MAX_HEADER_LEN: usize = 18 + 3;

/// Half of the output buffer, in bytes.
const PIECE_LEN: usize = 64 << 10;

/// Returns true if a skippable frame begins with these bytes.
pub(crate) fn is_skippable(start: &[u8]) -> bool {
    let magic = start.first_chunk().map(|magic| u32::from_le_bytes(*magic) & !0xf);
    magic == Some(SKIPPABLE_MAGIC)
}

/// Decompresses a sequence of Zstandard frames. ruzstd's streaming decoder reads from a source; here
/// bytes are pushed, hence this loop around its frame decoder.
#[derive(Default)]
pub(crate) struct Zstd {
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

impl Decompress for Zstd {
    fn feed(&mut self, chunk: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        let is_end = chunk.is_empty();
        self.rest.extend_from_slice(chunk);
        self.output.resize(2 * PIECE_LEN, 0);
        let rest = std::mem::take(&mut self.rest);
        let mut left = &rest[..];
        let result = loop {
            let skipped = self.skip.min(left.len());
            self.skip -= skipped;
            left = &left[skipped..];
            match self.step(left, is_end, visit) {
                Ok(Some(len)) => left = &left[len..],
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.rest = left.to_vec();
        result
    }
}

impl Zstd {
    /// Decodes a block at the start of `bytes`, or passes on pending output. Returns the number of bytes
    /// consumed, `None` if there are too few.
    fn step(
        &mut self,
        bytes: &[u8],
        is_end: bool,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<Option<usize>, String> {
        let Some(decoder) = &mut self.decoder else {
            return match bytes {
                [] if is_end && 0 < self.skip => Err("unexpected end of file".to_owned()),
                [] => Ok(None),
                _ if bytes.len() < MAX_HEADER_LEN && !is_end => Ok(None),
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
    fn flush_window(&mut self, visit: &mut dyn FnMut(&[u8])) {
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
        if !bytes.starts_with(MAGIC) {
            return Err("trailing data is not a Zstandard frame".to_owned());
        }
        let mut decoder = FrameDecoder::new();
        let mut rest = bytes;
        decoder.init(&mut rest).map_err(|error| error_text(&error))?;
        self.decoder = Some(decoder);
        Ok(Some(bytes.len() - rest.len()))
    }
}

/// The error texts of ruzstd describe its internal steps, and would add 5 kB to the compressed module.
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
mod tests {
    use super::*;

    #[test]
    fn highly_compressed_blocks_are_passed_on_in_bounded_pieces() {
        // A window of 128 KiB, then blocks of four bytes that each expand to 128 KiB of zeros.
        let mut compressed = [MAGIC, &[0, 0x38]].concat();
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
}
