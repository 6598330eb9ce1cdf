//! The part of a frame that is not decoded yet: its captured bytes, and its length on the wire.

use crate::Faults;

/// One layer with everything inside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent<'a> {
    /// The captured bytes: `bytes.len() <= wire_len`.
    bytes: &'a [u8],
    /// Bytes on the wire, according to the innermost length field so far.
    wire_len: usize,
}

impl<'a> Extent<'a> {
    pub(super) fn new(bytes: &'a [u8], wire_len: usize) -> Self {
        Self { bytes: &bytes[..bytes.len().min(wire_len)], wire_len }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn wire_len(&self) -> usize {
        self.wire_len
    }

    /// What follows the first `len` bytes; empty if there are fewer.
    pub(super) fn after(&self, len: usize) -> Self {
        Self {
            bytes: self.bytes.get(len..).unwrap_or_default(),
            wire_len: self.wire_len.saturating_sub(len),
        }
    }

    /// The first `len` bytes on the wire, without padding and trailers after them.
    pub(super) fn limited_to(&self, len: usize) -> Self {
        Self::new(self.bytes, self.wire_len.min(len))
    }

    /// The faults of a header of `len` bytes if fewer were captured: `TRUNCATED` if the wire had more
    /// bytes of the header, `BAD_LENGTH` if it did not have all of them, or both.
    pub(super) fn short_header_faults(&self, len: usize) -> Faults {
        let mut faults = Faults::default();
        if self.bytes.len() < self.wire_len.min(len) {
            faults.insert(Faults::TRUNCATED);
        }
        if self.wire_len < len {
            faults.insert(Faults::BAD_LENGTH);
        }
        faults
    }

    /// The first `N` bytes, with zeros for those that were not captured, for header parsers that need a
    /// complete header. `bytes().len()` tells the caller which fields are valid.
    pub(super) fn padded<const N: usize>(&self) -> [u8; N] {
        let mut padded = [0; N];
        let len = self.bytes.len().min(N);
        padded[..len].copy_from_slice(&self.bytes[..len]);
        padded
    }

    /// Parses a header. If that fails, tries once more with the header padded with zeros in `buf`.
    pub(super) fn header<'r, H, E, const N: usize>(
        &self,
        buf: &'r mut [u8; N],
        parse: impl Fn(&'r [u8]) -> Result<H, E>,
    ) -> Option<H>
    where
        'a: 'r,
    {
        parse(self.bytes).ok().or_else(|| {
            *buf = self.padded();
            parse(buf).ok()
        })
    }

    /// The two bytes at `offset` in network byte order.
    pub(super) fn u16_at(&self, offset: usize) -> Option<u16> {
        let bytes = self.bytes.get(offset..offset + 2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }
}
