//! gzip's members (RFC 1952) around the deflated bytes that miniz_oxide inflates: the library that
//! knows both brings tables along that are a tenth of the site.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

pub(super) const MAGIC: &[u8] = &[0x1f, 0x8b];

const FIXED_HEADER_LEN: usize = 10;
/// Checksum and length.
const TRAILER_LEN: usize = 8;

/// Flags of a header: a checksum of it, a field for extras, a name, a comment (RFC 1952, 2.3.1).
const HAS_CHECKSUM: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;

/// Bytes inflated at once.
const PIECE_LEN: usize = 64 << 10;

/// Unpacks members, one behind the other.
#[derive(Default)]
pub(super) struct Gzip {
    state: State,
    inflater: Option<Box<InflateState>>,
    /// Bytes of a header or a trailer that is not all there.
    rest: Vec<u8>,
    checksum: u32,
    /// Length of the member's content, of which the trailer has the lowest 32 bits.
    len: u32,
    piece: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Header,
    Deflated,
    Trailer,
}

impl Gzip {
    /// Takes the next bytes of the file and hands on what they unpack to; none is the end.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        mut visit: impl FnMut(&[u8]),
    ) -> Result<(), String> {
        if chunk.is_empty() {
            let is_whole = self.state == State::Header && self.rest.is_empty();
            return if is_whole { Ok(()) } else { Err("unexpected end of file".to_owned()) };
        }
        let mut left = chunk;
        while !left.is_empty() {
            left = match self.state {
                State::Header => self.header(left)?,
                State::Deflated => self.deflated(left, &mut visit)?,
                State::Trailer => self.trailer(left)?,
            };
        }
        Ok(())
    }

    fn header<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        // Tapes and some programs fill up with zeros behind a member.
        let padding = match self.rest.is_empty() && self.inflater.is_some() {
            true => bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len()),
            false => 0,
        };
        let bytes = &bytes[padding..];
        let before = self.rest.len();
        self.rest.extend_from_slice(bytes);
        if !MAGIC.starts_with(&self.rest[..self.rest.len().min(2)]) {
            return Err("something else follows".to_owned());
        }
        let Some(len) = header_len(&self.rest) else { return Ok(&[]) };
        self.rest.clear();
        (self.checksum, self.len) = (0, 0);
        self.inflater = Some(InflateState::new_boxed(DataFormat::Raw));
        self.state = State::Deflated;
        Ok(&bytes[len - before..])
    }

    fn deflated<'a>(
        &mut self,
        mut bytes: &'a [u8],
        visit: &mut impl FnMut(&[u8]),
    ) -> Result<&'a [u8], String> {
        self.piece.resize(PIECE_LEN, 0);
        let Some(inflater) = &mut self.inflater else { return Ok(bytes) };
        loop {
            let result = inflate(inflater, bytes, &mut self.piece, MZFlush::None);
            bytes = &bytes[result.bytes_consumed..];
            let piece = &self.piece[..result.bytes_written];
            self.checksum = checksum(self.checksum, piece);
            self.len = self.len.wrapping_add(u32::try_from(piece.len()).unwrap_or(0));
            visit(piece);
            match result.status {
                Ok(MZStatus::StreamEnd) => {
                    self.state = State::Trailer;
                    return Ok(bytes);
                }
                Ok(_) if bytes.is_empty() && piece.len() < PIECE_LEN => return Ok(bytes),
                Ok(_) => {}
                Err(MZError::Buf) => return Ok(bytes),
                Err(error) => return Err(format!("corrupt deflate stream ({error:?})")),
            }
        }
    }

    fn trailer<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        let (taken, left) = bytes.split_at(bytes.len().min(TRAILER_LEN - self.rest.len()));
        self.rest.extend_from_slice(taken);
        let expected = [self.checksum.to_le_bytes(), self.len.to_le_bytes()].concat();
        if self.rest.len() == TRAILER_LEN {
            if self.rest != expected {
                return Err("its checksum is wrong".to_owned());
            }
            self.rest.clear();
            self.state = State::Header;
        }
        Ok(left)
    }
}

impl std::fmt::Debug for Gzip {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Gzip").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Length of the header that the bytes begin with; `None` where it is not all there.
fn header_len(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut len = FIXED_HEADER_LEN;
    if flags & HAS_EXTRA != 0 {
        let extra = bytes.get(len..)?.first_chunk()?;
        len += 2 + usize::from(u16::from_le_bytes(*extra));
    }
    for flag in [HAS_NAME, HAS_COMMENT] {
        if flags & flag != 0 {
            // With a zero behind it.
            len += 1 + bytes.get(len..)?.iter().position(|byte| *byte == 0)?;
        }
    }
    if flags & HAS_CHECKSUM != 0 {
        len += 2;
    }
    (len <= bytes.len()).then_some(len)
}

/// CRC-32 as RFC 1952, 8 has it, continued from the one of the bytes before.
fn checksum(before: u32, bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| TABLE[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8);
    !bytes.iter().fold(!before, step)
}

static TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0u32;
    while byte < 256 {
        let mut value = byte;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        table[byte as usize] = value;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder};
    use std::io::Write;

    #[test]
    fn zeros_behind_a_member_are_nothing() {
        let member = |text: &[u8]| {
            let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let packed = [&member(b"one")[..], &[0; 20], &member(b"two"), &[0; 5]].concat();
        for chunk_len in 1..packed.len() {
            let (mut gzip, mut seen) = (Gzip::default(), Vec::new());
            for chunk in packed.chunks(chunk_len).chain([&[][..]]) {
                gzip.feed(chunk, |piece| seen.extend_from_slice(piece)).unwrap();
            }
            assert_eq!(seen, b"onetwo", "{chunk_len}");
        }
        let other = [&member(b"one")[..], b"\0x"].concat();
        assert_eq!(Gzip::default().feed(&other, |_| {}), Err("something else follows".to_owned()));
    }

    #[test]
    fn headers_may_have_all_fields() {
        let builder = GzBuilder::new().filename("a").comment("b").extra([1, 2, 3]);
        let mut encoder = builder.write(Vec::new(), Compression::best());
        encoder.write_all(b"text").unwrap();
        let packed = encoder.finish().unwrap();
        for chunk_len in 1..packed.len() {
            let (mut gzip, mut seen) = (Gzip::default(), Vec::new());
            for chunk in packed.chunks(chunk_len).chain([&[][..]]) {
                gzip.feed(chunk, |piece| seen.extend_from_slice(piece)).unwrap();
            }
            assert_eq!(seen, b"text", "{chunk_len}");
        }
        let mut damaged = packed;
        let at = damaged.len() - 5;
        damaged[at] ^= 1;
        let result = Gzip::default().feed(&damaged, |_| {});
        assert_eq!(result, Err("its checksum is wrong".to_owned()));
    }
}
