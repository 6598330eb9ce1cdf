//! What is left of a frame: the captured bytes, and how many the wire had.

use crate::Faults;

/// The bytes of one layer and everything inside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent<'a> {
    /// The captured bytes: `bytes.len() <= wire_len`.
    bytes: &'a [u8],
    /// Bytes on the wire by the innermost length field so far.
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

    /// What follows the first `len` bytes; nothing where there are fewer.
    pub(super) fn after(&self, len: usize) -> Self {
        Self {
            bytes: self.bytes.get(len..).unwrap_or_default(),
            wire_len: self.wire_len.saturating_sub(len),
        }
    }

    /// The first `len` bytes on the wire: padding and trailers behind them are gone.
    pub(super) fn limited_to(&self, len: usize) -> Self {
        Self::new(self.bytes, self.wire_len.min(len))
    }

    /// The faults of a header that needs `len` bytes, where fewer were captured: there were not as
    /// many, not all that there were have been captured, or both.
    pub(super) fn shortage(&self, len: usize) -> Faults {
        let mut faults = Faults::default();
        if self.bytes.len() < self.wire_len.min(len) {
            faults.insert(Faults::TRUNCATED);
        }
        if self.wire_len < len {
            faults.insert(Faults::BAD_LENGTH);
        }
        faults
    }

    /// The first bytes, zeros where the capture was cut: a header reader that wants all of a header
    /// can then read the fields that are there. Which those are, the caller knows by `bytes().len()`.
    pub(super) fn padded<const N: usize>(&self) -> [u8; N] {
        let mut padded = [0; N];
        let len = self.bytes.len().min(N);
        padded[..len].copy_from_slice(&self.bytes[..len]);
        padded
    }

    /// A header that `parse` wants all of: read as it is, or padded where the capture cut it. `room`
    /// is where the padded bytes are then.
    pub(super) fn header<'r, H, E, const N: usize>(
        &self,
        room: &'r mut [u8; N],
        parse: impl Fn(&'r [u8]) -> Result<H, E>,
    ) -> Option<H>
    where
        'a: 'r,
    {
        parse(self.bytes).ok().or_else(|| {
            *room = self.padded();
            parse(room).ok()
        })
    }

    /// Two bytes at `offset` in network order.
    pub(super) fn u16_at(&self, offset: usize) -> Option<u16> {
        let bytes = self.bytes.get(offset..offset + 2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }
}
