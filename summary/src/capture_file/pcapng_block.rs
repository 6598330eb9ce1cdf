//! One block of a pcapng file being written: numbers in the byte order of its section, and options.

use crate::{Direction, Timestamp};

/// Codes of options (draft-ietf-opsawg-pcapng, sections 3.5 and 4.3).
const END_OF_OPTIONS: u16 = 0;
const PACKET_FLAGS: u16 = 2;

/// A time in nanoseconds since 1970, as its high and its low half.
pub(super) fn ticks(time: Timestamp) -> [u32; 2] {
    let ns = u64::try_from(time.ns()).unwrap_or_default();
    [u32_of(ns >> 32), u32_of(ns & u64::from(u32::MAX))]
}

/// The start of a text, of at most `limit` bytes.
pub(super) fn truncate(text: &str, limit: usize) -> &str {
    let limit = text.len().min(limit);
    let len = (0..=limit).rev().find(|len| text.is_char_boundary(*len)).unwrap_or(0);
    &text[..len]
}

pub(super) fn u32_of(value: u64) -> u32 {
    u32::try_from(value).expect("fits into 32 bits")
}

/// A block being written.
pub(super) struct Block<'a> {
    is_big_endian: bool,
    out: &'a mut Vec<u8>,
    /// Start of the block in `out`.
    start: usize,
    has_options: bool,
}

impl<'a> Block<'a> {
    /// Begins a block. Its two lengths are written by [`Block::finish`].
    pub(super) fn begin(kind: u32, is_big_endian: bool, out: &'a mut Vec<u8>) -> Self {
        let mut block = Self { is_big_endian, start: out.len(), has_options: false, out };
        block.words([kind, 0]);
        block
    }

    pub(super) fn u16(&mut self, value: u16) {
        let bytes = if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.out.extend(bytes);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.words([value]);
    }

    pub(super) fn words<const N: usize>(&mut self, words: [u32; N]) {
        let bytes = words.map(|word| self.u32_bytes(word));
        self.out.extend_from_slice(bytes.as_flattened());
    }

    pub(super) fn u32_bytes(&self, value: u32) -> [u8; 4] {
        if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    /// Appends bytes, padded to a multiple of 4.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.out.resize(self.out.len() + bytes.len().next_multiple_of(4) - bytes.len(), 0);
    }

    pub(super) fn option(&mut self, code: u16, value: &[u8]) {
        self.has_options = true;
        self.u16(code);
        self.u16(u16::try_from(value.len()).expect("values are truncated by the caller"));
        self.bytes(value);
    }

    pub(super) fn text_option(&mut self, code: u16, text: Option<&str>) {
        if let Some(text) = text {
            self.option(code, truncate(text, usize::from(u16::MAX)).as_bytes());
        }
    }

    pub(super) fn u64_option(&mut self, code: u16, value: u64) {
        let bytes = if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.option(code, &bytes);
    }

    /// Bits 0 and 1 of the flags are the direction, bits 2 to 4 the type of reception (draft, 4.3.1).
    pub(super) fn flags_option(&mut self, direction: Direction) {
        const INBOUND: u32 = 1;
        const OUTBOUND: u32 = 2;
        let flags = match direction {
            Direction::In => INBOUND | 1 << 2,
            Direction::Multicast => INBOUND | 2 << 2,
            Direction::Broadcast => INBOUND | 3 << 2,
            Direction::Other => INBOUND | 4 << 2,
            Direction::Out => OUTBOUND,
        };
        let flags = self.u32_bytes(flags);
        self.option(PACKET_FLAGS, &flags);
    }

    /// Ends the options and writes the length of the block at both of its ends.
    pub(super) fn finish(mut self) {
        if self.has_options {
            self.u16(END_OF_OPTIONS);
            self.u16(0);
        }
        let len = u32_of((self.out.len() - self.start + 4) as u64);
        let bytes = self.u32_bytes(len);
        self.out[self.start + 4..self.start + 8].copy_from_slice(&bytes);
        self.out.extend(bytes);
    }
}
