//! The fast tokenizer for packet lines in the writer's form: its field order, no spaces, no escapes. It
//! finds the values of the fields; `parse` and `excerpt` interpret them.
//!
//! It compares eight bytes at a time, as little-endian words. That is several times faster than single
//! bytes, in particular in WebAssembly, where the comparison of slices is a function call. All reads
//! go through a window of constant length, which makes bounds checks unnecessary.

use super::write::START;
use crate::ProtoNumber;
use crate::digits::{HIGH, POWERS, all, leading_digits};
use crate::timestamp::TEXT_LEN as TIME_LEN;

/// Longest line that is accepted. A power of two, so that offsets wrap around at no cost.
const WINDOW_LEN: usize = 1024;

/// The bytes that are read: a word can start at the last offset of the window.
type Window = [u8; WINDOW_LEN + 8];

/// The values of a packet line. Strings are without their quotation marks: ASCII without escapes.
#[derive(Debug)]
pub(super) struct RawFields<'a> {
    pub(super) n: u64,
    pub(super) ts: &'a [u8],
    pub(super) interface: Option<&'a [u8]>,
    pub(super) direction: Option<&'a [u8]>,
    pub(super) len: u64,
    pub(super) cap: Option<u64>,
    pub(super) gso: Option<u64>,
    pub(super) gso_type: Option<&'a [u8]>,
    pub(super) link: Option<&'a [u8]>,
    pub(super) eth_src: Option<&'a [u8]>,
    pub(super) eth_dst: Option<&'a [u8]>,
    pub(super) vlan: crate::VlanIds,
    pub(super) src: Option<&'a [u8]>,
    pub(super) dst: Option<&'a [u8]>,
    pub(super) sport: Option<u64>,
    pub(super) dport: Option<u64>,
    pub(super) proto: &'a [u8],
    /// The number after `proto`, whatever the name is.
    pub(super) proto_number: Option<ProtoNumber>,
    pub(super) ttl: Option<u64>,
    pub(super) frag: Option<u64>,
    pub(super) flags: Option<&'a [u8]>,
    pub(super) seq: Option<u64>,
    pub(super) ack: Option<u64>,
    pub(super) win: Option<u64>,
    pub(super) payload: Option<u64>,
    pub(super) icmp_type: Option<u64>,
    pub(super) icmp_code: Option<u64>,
    pub(super) arp_op: Option<u64>,
    pub(super) dns: Option<&'a [u8]>,
    pub(super) dns_type: Option<&'a [u8]>,
    pub(super) sni: Option<&'a [u8]>,
    pub(super) http_host: Option<&'a [u8]>,
    pub(super) quic: Option<&'a [u8]>,
    pub(super) community_id: Option<&'a [u8]>,
    /// The elements of `err` with their quotation marks and commas.
    pub(super) err: Option<&'a [u8]>,
}

/// The fields between `ts` and `dst` that most lines do not have, and `src`.
#[derive(Default)]
struct RareFields<'a> {
    interface: Option<&'a [u8]>,
    direction: Option<&'a [u8]>,
    cap: Option<u64>,
    gso: Option<u64>,
    gso_type: Option<&'a [u8]>,
    link: Option<&'a [u8]>,
    eth_src: Option<&'a [u8]>,
    eth_dst: Option<&'a [u8]>,
    vlan: crate::VlanIds,
    src: Option<&'a [u8]>,
}

/// Tokenizes the line at the front of `bytes`; also returns its length without the line feed. `None` if
/// the line does not have the writer's form. Bytes after the line are ignored.
///
/// Inlined, so that fields that a caller does not use cost little.
#[inline(always)]
pub(super) fn scan(bytes: &[u8]) -> Option<(RawFields<'_>, usize)> {
    let padded;
    let window = match bytes.first_chunk() {
        Some(window) => window,
        None if !bytes.starts_with(START) => return None,
        None => {
            padded = pad(bytes);
            &padded
        }
    };
    let mut cursor = Cursor { bytes, window, at: 0 };
    cursor.expect(START)?;
    // The writer counts from 1.
    let n = cursor.int().filter(|n| 0 < *n)?;
    cursor.expect(br#","ts":"#)?;
    let ts = cursor.time()?;
    let mut rare = RareFields::default();
    // Try the next mandatory key before the optional keys in front of it, which few lines have.
    if cursor.expect(br#","len":"#).is_none() {
        rare.interface = cursor.text_cold(br#","if":"#)?;
        rare.direction = cursor.text_cold(br#","dir":"#)?;
        cursor.expect(br#","len":"#)?;
    }
    let len = cursor.int()?;
    if cursor.expect(br#","src":"#).is_some() {
        rare.src = Some(cursor.string()?);
    } else {
        cursor.rare_fields(&mut rare)?;
    }
    let src = rare.src;
    let dst = cursor.text(br#","dst":"#)?;
    let sport = cursor.number(br#","sport":"#)?;
    let dport = cursor.number(br#","dport":"#)?;
    cursor.expect(br#","proto":"#)?;
    let proto = cursor.string()?;
    let mut ttl = cursor.number(br#","ttl":"#)?;
    let mut proto_number = None;
    // Only protocols without a name have a number, and most of them are not IP.
    if ttl.is_none() {
        proto_number = cursor.proto_number()?;
        if proto_number.is_some() {
            ttl = cursor.number(br#","ttl":"#)?;
        }
    }
    let mut flags = cursor.text(br#","flags":"#)?;
    let mut frag = None;
    if flags.is_none() {
        frag = cursor.number(br#","frag":"#)?;
        if frag.is_some() {
            flags = cursor.text(br#","flags":"#)?;
        }
    }
    let seq = cursor.number(br#","seq":"#)?;
    let ack = cursor.number(br#","ack":"#)?;
    let win = cursor.number(br#","win":"#)?;
    let payload = cursor.number(br#","payload":"#)?;
    let mut fields = RawFields {
        n,
        ts,
        interface: rare.interface,
        direction: rare.direction,
        len,
        cap: rare.cap,
        gso: rare.gso,
        gso_type: rare.gso_type,
        link: rare.link,
        eth_src: rare.eth_src,
        eth_dst: rare.eth_dst,
        vlan: rare.vlan,
        src,
        dst,
        sport,
        dport,
        proto,
        proto_number,
        ttl,
        frag,
        flags,
        seq,
        ack,
        win,
        payload,
        icmp_type: None,
        icmp_code: None,
        arp_op: None,
        dns: None,
        dns_type: None,
        sni: None,
        http_host: None,
        quic: None,
        community_id: None,
        err: None,
    };
    // Most lines end here.
    if cursor.expect(b"}").is_none() {
        fields.icmp_type = cursor.number(br#","icmp_type":"#)?;
        fields.icmp_code = cursor.number(br#","icmp_code":"#)?;
        fields.arp_op = cursor.number(br#","arp_op":"#)?;
        fields.dns = cursor.text(br#","dns":"#)?;
        fields.dns_type = cursor.text(br#","dns_type":"#)?;
        fields.sni = cursor.text(br#","sni":"#)?;
        fields.http_host = cursor.text(br#","http_host":"#)?;
        if fields.http_host.is_none() {
            // The name in lines of before.
            fields.http_host = cursor.text(br#","host":"#)?;
        }
        fields.quic = cursor.text(br#","quic":"#)?;
        fields.community_id = cursor.text(br#","community_id":"#)?;
        if cursor.expect(br#","err":["#).is_some() {
            fields.err = Some(cursor.strings()?);
        }
        cursor.expect(b"}")?;
    }
    (cursor.at <= WINDOW_LEN).then_some((fields, cursor.at))
}

/// A window for the last lines of a buffer, filled with zeros.
#[cold]
#[inline(never)]
fn pad(bytes: &[u8]) -> Window {
    let mut window = [0; WINDOW_LEN + 8];
    window.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    window
}

/// An offset that only advances. Each step returns `None` if the bytes are not what the writer would
/// have written there. Offsets after the window wrap around to its start, so `scan` checks the final
/// offset.
///
/// An offset is cheaper than a shrinking slice: one value to update, and no bounds checks.
struct Cursor<'a, 'w> {
    bytes: &'a [u8],
    window: &'w Window,
    at: usize,
}

impl<'a> Cursor<'a, '_> {
    /// The eight bytes at offset `at`; 0 after the end.
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let word = self.window[at % WINDOW_LEN..].first_chunk();
        u64::from_le_bytes(word.copied().unwrap_or_default())
    }

    #[inline(always)]
    fn expect<const LEN: usize>(&mut self, text: &[u8; LEN]) -> Option<()> {
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

    /// An unsigned integer without sign and leading zeros, of at most 19 digits. Numbers with 20 digits
    /// can overflow and are left to serde.
    #[inline(always)]
    fn int(&mut self) -> Option<u64> {
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
    fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b"\"")?;
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
    fn time(&mut self) -> Option<&'a [u8]> {
        self.expect(b"\"")?;
        let start = self.at;
        self.at += TIME_LEN;
        self.expect(b"\"")?;
        self.bytes.get(start..start + TIME_LEN)
    }

    /// The number after `key`, if the key is next.
    #[inline(always)]
    fn number<const LEN: usize>(&mut self, key: &[u8; LEN]) -> Option<Option<u64>> {
        match self.expect(key) {
            Some(()) => self.int().map(Some),
            None => Some(None),
        }
    }

    /// The string after `key`, if the key is next.
    #[inline(always)]
    fn text<const LEN: usize>(&mut self, key: &[u8; LEN]) -> Option<Option<&'a [u8]>> {
        match self.expect(key) {
            Some(()) => self.string().map(Some),
            None => Some(None),
        }
    }

    /// Like [`Cursor::text`], for keys that few lines have.
    #[inline(never)]
    fn text_cold<const LEN: usize>(&mut self, key: &[u8; LEN]) -> Option<Option<&'a [u8]>> {
        self.text(key)
    }

    /// The fields between `len` and `dst`.
    #[inline(never)]
    fn rare_fields(&mut self, rare: &mut RareFields<'a>) -> Option<()> {
        rare.cap = self.number(br#","cap":"#)?;
        rare.gso = self.number(br#","gso":"#)?;
        rare.gso_type = self.text(br#","gso_type":"#)?;
        rare.link = self.text(br#","link":"#)?;
        rare.eth_src = self.text(br#","eth_src":"#)?;
        rare.eth_dst = self.text(br#","eth_dst":"#)?;
        if self.expect(br#","vlan":["#).is_some() {
            self.ids(&mut rare.vlan)?;
        }
        rare.src = self.text(br#","src":"#)?;
        Some(())
    }

    /// The field after `proto` that protocols without a name have.
    #[inline(never)]
    fn proto_number(&mut self) -> Option<Option<ProtoNumber>> {
        let ethertype = self.number(br#","ethertype":"#)?;
        let ip_proto = self.number(br#","ip_proto":"#)?;
        let linktype = self.number(br#","linktype":"#)?;
        ProtoNumber::from_fields(ethertype, ip_proto, linktype)
    }

    /// Numbers up to the end of an array.
    #[cold]
    fn ids(&mut self, ids: &mut crate::VlanIds) -> Option<()> {
        loop {
            if !ids.push(u16::try_from(self.int()?).ok()?) {
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
    fn strings(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        loop {
            self.string()?;
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
                Cursor { bytes, window: &pad(bytes), at: 0 }.int()
            };
            let expected = (text.len() < 20).then_some(value >> shift);
            prop_assert_eq!(int(&text), expected);
            prop_assert_eq!(int(&format!("0{text}")), None);
        }
    }
}
