//! Reads the bytes of a line from front to back.
//!
//! A cursor compares eight bytes at a time, as little-endian words. That is several times faster than
//! single bytes, in particular in WebAssembly, where the comparison of slices is a function call. All
//! reads go through a window of constant length, which makes bounds checks unnecessary.

use crate::digits::{HIGH, POWERS, all, leading_digits};
use crate::timestamp::TEXT_LEN as TIME_LEN;
use crate::{ProtoNumber, TimeUnit, Timestamp, VlanIds};

/// Longest line that is accepted. A power of two, so that offsets wrap around at no cost.
pub(super) const WINDOW_LEN: usize = 1024;

/// The bytes that are read: a word can start at the last offset of the window.
pub(super) type Window = [u8; WINDOW_LEN + 8];

/// Fields with the findings of the analysis of TCP.
const FINDINGS: [&[u8]; 10] = [
    b"rtx",
    b"ooo",
    b"dup_ack",
    b"zero_window",
    b"window_full",
    b"keep_alive",
    b"reset",
    b"unseen",
    b"rtt_us",
    b"handshake_us",
];

/// Start of every tag.
pub(super) const TAG: &[u8; 6] = br#","tag_"#;

/// A window for the last lines of a buffer, filled with zeros.
#[cold]
#[inline(never)]
pub(super) fn pad(bytes: &[u8]) -> Window {
    let mut window = [0; WINDOW_LEN + 8];
    window.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    window
}

/// An offset that only advances. Each step returns `None` if the bytes are not what the writer would
/// have written there. Offsets after the window wrap around to its start, so the caller checks the final
/// offset.
///
/// An offset is cheaper than a shrinking slice: one value to update, and no bounds checks.
pub(super) struct Cursor<'a, 'w> {
    bytes: &'a [u8],
    window: &'w Window,
    at: usize,
}

impl<'a, 'w> Cursor<'a, 'w> {
    /// A cursor at the front of `bytes`. `window` has the same bytes as far as they go.
    pub(super) fn new(bytes: &'a [u8], window: &'w Window) -> Self {
        Self { bytes, window, at: 0 }
    }

    /// Offset of the next byte.
    #[inline(always)]
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// The eight bytes at offset `at`; 0 after the end.
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let word = self.window[at % WINDOW_LEN..].first_chunk();
        u64::from_le_bytes(word.copied().unwrap_or_default())
    }

    #[inline(always)]
    pub(super) fn expect<const LEN: usize>(&mut self, text: &[u8; LEN]) -> Option<()> {
        let mut differences = 0;
        for at in (0..LEN).step_by(8) {
            let (mut word, mut mask) = ([0; 8], [0; 8]);
            for index in at..LEN.min(at + 8) {
                (word[index - at], mask[index - at]) = (text[index], 0xff);
            }
            let mask = u64::from_le_bytes(mask);
            differences |= (self.word(self.at + at) & mask) ^ u64::from_le_bytes(word);
            // Most absent keys differ in the first word.
            if differences != 0 {
                return None;
            }
        }
        self.at += LEN;
        Some(())
    }

    /// Whether the bytes are those of `text`.
    #[inline(always)]
    pub(super) fn is_at<const LEN: usize>(&self, text: &[u8; LEN]) -> bool {
        Cursor { ..*self }.expect(text).is_some()
    }

    /// An unsigned integer without sign and leading zeros, of at most 19 digits. Numbers with 20 digits
    /// can overflow and are left to serde.
    #[inline(always)]
    pub(super) fn int(&mut self) -> Option<u64> {
        let first = self.word(self.at);
        let (mut value, mut len) = leading_digits(first);
        if len == 8 {
            for at in [8, 16] {
                let (more, more_len) = leading_digits(self.word(self.at + at));
                value = value.wrapping_mul(POWERS[more_len]).wrapping_add(more);
                len += more_len;
                if more_len < 8 {
                    break;
                }
            }
        }
        if len == 0 || 19 < len || (1 < len && first & 0xff == u64::from(b'0')) {
            return None;
        }
        self.at += len;
        Some(value)
    }

    /// A string without escapes, in ASCII.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b"\"")?;
        self.string_end()
    }

    /// The rest of a string, with its closing quotation mark.
    #[inline(always)]
    fn string_end(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        let mut end = start;
        // The zeros after the end of the input are special, too, and end the loop.
        loop {
            let found = special(self.word(end));
            if found != 0 {
                end += found.trailing_zeros() as usize / 8;
                break;
            }
            end += 8;
            if WINDOW_LEN < end {
                return None;
            }
        }
        self.at = end;
        self.expect(b"\"")?;
        self.bytes.get(start..end)
    }

    /// A string of the length of a time; the caller validates its bytes.
    #[inline(always)]
    pub(super) fn time(&mut self) -> Option<&'a [u8]> {
        self.expect(b"\"")?;
        let start = self.at;
        self.at += TIME_LEN;
        self.expect(b"\"")?;
        self.bytes.get(start..start + TIME_LEN)
    }

    /// The time in one of the fields with a number since the epoch.
    #[inline(never)]
    pub(super) fn time_number(&mut self) -> Option<Timestamp> {
        let unit = if self.expect(br#","ts_ns":"#).is_some() {
            TimeUnit::Ns
        } else if self.expect(br#","ts_us":"#).is_some() {
            TimeUnit::Us
        } else {
            self.expect(br#","ts_ms":"#)?;
            TimeUnit::Ms
        };
        unit.time(i64::try_from(self.int_cold()?).ok()?)
    }

    /// The fields at the end that are ignored: findings about TCP, and tags.
    #[inline(never)]
    pub(super) fn ignored_fields(&mut self) -> Option<()> {
        while self.expect(b",\"").is_some() {
            let key = self.string_end()?;
            self.expect(b":")?;
            if !key.starts_with(b"tag_") && !FINDINGS.contains(&key) {
                return None;
            }
            if self.is_at(b"\"") {
                self.string_cold()?;
            } else if self.expect(b"true").is_none() {
                self.int_cold()?;
            }
            if WINDOW_LEN < self.at {
                return None;
            }
        }
        Some(())
    }

    /// The number after `key`, if the key is next.
    #[inline(always)]
    pub(super) fn number<const LEN: usize>(&mut self, key: &[u8; LEN]) -> Option<Option<u64>> {
        match self.expect(key) {
            Some(()) => self.int().map(Some),
            None => Some(None),
        }
    }

    /// The string after `key`, if the key is next.
    #[inline(always)]
    pub(super) fn text<const LEN: usize>(&mut self, key: &[u8; LEN]) -> Option<Option<&'a [u8]>> {
        match self.expect(key) {
            Some(()) => self.string().map(Some),
            None => Some(None),
        }
    }

    /// Like [`Cursor::int`], for fields that few lines have: one copy of the code for all of them.
    #[inline(never)]
    fn int_cold(&mut self) -> Option<u64> {
        self.int()
    }

    /// Like [`Cursor::string`], for fields that few lines have.
    #[inline(never)]
    fn string_cold(&mut self) -> Option<&'a [u8]> {
        self.string()
    }

    /// Like [`Cursor::number`], for fields that few lines have.
    #[inline(always)]
    pub(super) fn number_cold<const LEN: usize>(&mut self, key: &[u8; LEN]) -> Option<Option<u64>> {
        match self.expect(key) {
            Some(()) => self.int_cold().map(Some),
            None => Some(None),
        }
    }

    /// Like [`Cursor::text`], for fields that few lines have.
    #[inline(always)]
    pub(super) fn text_cold<const LEN: usize>(
        &mut self,
        key: &[u8; LEN],
    ) -> Option<Option<&'a [u8]>> {
        match self.expect(key) {
            Some(()) => self.string_cold().map(Some),
            None => Some(None),
        }
    }

    /// Whether the next name has the first letter of a field that [`Self::proto_number`] reads.
    #[inline(always)]
    pub(super) fn may_be_proto_number(&self) -> bool {
        matches!(self.window[(self.at + 2) % WINDOW_LEN], b'e' | b'i' | b'l')
    }

    /// The field after `proto` that protocols without a name have.
    #[inline(never)]
    pub(super) fn proto_number(&mut self) -> Option<Option<ProtoNumber>> {
        if self.expect(br#","ethertype":"#).is_some() {
            let number = u16::try_from(self.int_cold()?).ok()?;
            Some(Some(ProtoNumber::EtherType(number)))
        } else if self.expect(br#","ip_proto":"#).is_some() {
            Some(Some(ProtoNumber::Ip(u8::try_from(self.int_cold()?).ok()?)))
        } else if self.expect(br#","linktype":"#).is_some() {
            let number = u16::try_from(self.int_cold()?).ok()?;
            Some(Some(ProtoNumber::LinkType(number)))
        } else {
            Some(None)
        }
    }

    /// Numbers up to the end of an array.
    #[cold]
    pub(super) fn ids(&mut self, ids: &mut VlanIds) -> Option<()> {
        loop {
            if !ids.push(u16::try_from(self.int_cold()?).ok()?) {
                return None;
            }
            if self.expect(b"]").is_some() {
                return Some(());
            }
            self.expect(b",")?;
        }
    }

    /// Strings up to the end of an array.
    #[cold]
    pub(super) fn strings(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        loop {
            self.string_cold()?;
            let end = self.at;
            if self.expect(b"]").is_some() {
                return self.bytes.get(start..end);
            }
            self.expect(b",")?;
            if WINDOW_LEN < self.at {
                return None;
            }
        }
    }
}

/// Sets the highest bit of the first byte that is a quotation mark, a backslash, a control character or
/// not ASCII. The bits of later bytes are arbitrary.
#[inline(always)]
fn special(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(all(1)) & !word;
    let quote = is_zero(word ^ all(b'"'));
    let backslash = is_zero(word ^ all(b'\\'));
    let control = word.wrapping_sub(all(b' ')) & !word;
    (quote | backslash | control | word) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_end_at_the_first_special_byte(
            bytes in prop_oneof![any::<[u8; 8]>(), proptest::array::uniform8(0x1fu8..=0x23)]
        ) {
            let is_special = |byte: &u8| !(b' '..0x80).contains(byte) || b"\"\\".contains(byte);
            let index = bytes.iter().position(is_special).unwrap_or(8);
            prop_assert_eq!(special(u64::from_le_bytes(bytes)).trailing_zeros() as usize / 8, index);
        }

        #[test]
        fn integers_of_any_length_are_parsed(value in any::<u64>(), shift in 0u32..64) {
            let text = (value >> shift).to_string();
            let int = |text: &str| {
                let bytes = text.as_bytes();
                Cursor::new(bytes, &pad(bytes)).int()
            };
            let expected = (text.len() < 20).then_some(value >> shift);
            prop_assert_eq!(int(&text), expected);
            prop_assert_eq!(int(&format!("0{text}")), None);
        }
    }
}
