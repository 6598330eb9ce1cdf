//! The line of a packet as its bytes stand there: keys in the writer's order, no spaces, no escapes.
//! The one place that knows how our lines are cut; what the pieces mean is for others to say.
//!
//! Bytes are looked at eight at a time, as little-endian words. That is several times faster than one
//! by one, most of all in WebAssembly, where comparing slices is a call. They are looked at through a
//! window of fixed length, for no place in it has to be checked.

use crate::digits::{HIGH, POWERS, all, leading_digits};
use crate::timestamp::TEXT_LEN as TIME_LEN;

const START: &[u8; 18] = br#"{"type":"pkt","n":"#;

/// Longer lines are left to others: a power of two, so that places wrap around at no cost.
const WINDOW_LEN: usize = 1024;

/// What is looked at: a word may begin at the window's last place.
type Window = [u8; WINDOW_LEN + 8];

/// The pieces of a packet's line. A string is the bytes between its quotes: ASCII without escapes.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
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
    pub(super) host: Option<&'a [u8]>,
    pub(super) quic: Option<&'a [u8]>,
    pub(super) community_id: Option<&'a [u8]>,
    /// The strings of `err` with their quotes and commas.
    pub(super) err: Option<&'a [u8]>,
}

/// The pieces between time and destination, of which most lines have length and source only.
#[derive(Default)]
struct Odd<'a> {
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

/// Cuts the line at the front of `bytes`, and says how long it is without its line feed; `None`
/// where it is anything else. What is behind the line is not looked at.
///
/// Inlined so that pieces which a caller does not want cost little.
#[inline(always)]
pub(super) fn scan(bytes: &[u8]) -> Option<(Pieces<'_>, usize)> {
    let padded;
    let window = match bytes.first_chunk() {
        Some(window) => window,
        None if !bytes.starts_with(START) => return None,
        None => {
            padded = pad(bytes);
            &padded
        }
    };
    let mut rest = Rest { bytes, window, at: 0 };
    rest.expect(START)?;
    let n = rest.int()?;
    rest.expect(br#","ts":"#)?;
    let ts = rest.time()?;
    let mut odd = Odd::default();
    // Of the keys that few lines have, each would have to be looked for: the one behind them is
    // looked for first.
    if rest.expect(br#","len":"#).is_none() {
        odd.interface = rest.text_aside(br#","if":"#)?;
        odd.direction = rest.text_aside(br#","dir":"#)?;
        rest.expect(br#","len":"#)?;
    }
    let len = rest.int()?;
    if rest.expect(br#","src":"#).is_some() {
        odd.src = Some(rest.string()?);
    } else {
        rest.odd(&mut odd)?;
    }
    let src = odd.src;
    let dst = rest.text(br#","dst":"#)?;
    let sport = rest.number(br#","sport":"#)?;
    let dport = rest.number(br#","dport":"#)?;
    rest.expect(br#","proto":"#)?;
    let proto = rest.string()?;
    let ttl = rest.number(br#","ttl":"#)?;
    let mut flags = rest.text(br#","flags":"#)?;
    let mut frag = None;
    if flags.is_none() {
        frag = rest.number(br#","frag":"#)?;
        if frag.is_some() {
            flags = rest.text(br#","flags":"#)?;
        }
    }
    let seq = rest.number(br#","seq":"#)?;
    let ack = rest.number(br#","ack":"#)?;
    let win = rest.number(br#","win":"#)?;
    let payload = rest.number(br#","payload":"#)?;
    let mut pieces = Pieces {
        n,
        ts,
        interface: odd.interface,
        direction: odd.direction,
        len,
        cap: odd.cap,
        gso: odd.gso,
        gso_type: odd.gso_type,
        link: odd.link,
        eth_src: odd.eth_src,
        eth_dst: odd.eth_dst,
        vlan: odd.vlan,
        src,
        dst,
        sport,
        dport,
        proto,
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
        host: None,
        quic: None,
        community_id: None,
        err: None,
    };
    // Most lines end here.
    if rest.expect(b"}").is_none() {
        pieces.icmp_type = rest.number(br#","icmp_type":"#)?;
        pieces.icmp_code = rest.number(br#","icmp_code":"#)?;
        pieces.arp_op = rest.number(br#","arp_op":"#)?;
        pieces.dns = rest.text(br#","dns":"#)?;
        pieces.dns_type = rest.text(br#","dns_type":"#)?;
        pieces.sni = rest.text(br#","sni":"#)?;
        pieces.host = rest.text(br#","host":"#)?;
        pieces.quic = rest.text(br#","quic":"#)?;
        pieces.community_id = rest.text(br#","community_id":"#)?;
        if rest.expect(br#","err":["#).is_some() {
            pieces.err = Some(rest.strings()?);
        }
        rest.expect(b"}")?;
    }
    (rest.at <= WINDOW_LEN).then_some((pieces, rest.at))
}

/// The window of the last lines, with zeros behind.
#[cold]
#[inline(never)]
fn pad(bytes: &[u8]) -> Window {
    let mut window = [0; WINDOW_LEN + 8];
    window.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    window
}

/// A place in the bytes, which only goes on. Each step is `None` where they are not what the writer
/// would have put there. What is behind the window looks like its beginning: who comes there learns
/// it from the place.
///
/// A place, and not what is left: there is less to keep up to date and to check.
struct Rest<'a, 'w> {
    bytes: &'a [u8],
    window: &'w Window,
    at: usize,
}

impl<'a> Rest<'a, '_> {
    /// The eight bytes from `at` on, 0 behind the last one.
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
            for place in at..LEN.min(at + 8) {
                (word[place - at], mask[place - at]) = (text[place], 0xff);
            }
            let mask = u64::from_le_bytes(mask);
            differences |= (self.word(self.at + at) & mask) ^ u64::from_le_bytes(word);
            // Most keys that are not there differ at the front.
            if differences != 0 {
                return None;
            }
        }
        self.at += LEN;
        Some(())
    }

    /// An unsigned integer as JSON writes it: no sign, no leading zero; up to 19 digits, which is one
    /// less than the largest have.
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
        // Zeros behind the last byte end it too.
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

    /// A string as long as the writer's times: who reads it looks at each of its bytes.
    #[inline(always)]
    fn time(&mut self) -> Option<&'a [u8]> {
        self.expect(b"\"")?;
        let start = self.at;
        self.at += TIME_LEN;
        self.expect(b"\"")?;
        self.bytes.get(start..start + TIME_LEN)
    }

    /// The number behind `key`, where the key comes next.
    #[inline(always)]
    fn number<const LEN: usize>(&mut self, key: &[u8; LEN]) -> Option<Option<u64>> {
        match self.expect(key) {
            Some(()) => self.int().map(Some),
            None => Some(None),
        }
    }

    /// The string behind `key`, where the key comes next.
    #[inline(always)]
    fn text<const LEN: usize>(&mut self, key: &[u8; LEN]) -> Option<Option<&'a [u8]>> {
        match self.expect(key) {
            Some(()) => self.string().map(Some),
            None => Some(None),
        }
    }

    /// As [`Rest::text`], for keys that are not on every line's way.
    #[inline(never)]
    fn text_aside<const LEN: usize>(&mut self, key: &[u8; LEN]) -> Option<Option<&'a [u8]>> {
        self.text(key)
    }

    /// The pieces up to the source, where they come next.
    #[inline(never)]
    fn odd(&mut self, odd: &mut Odd<'a>) -> Option<()> {
        odd.cap = self.number(br#","cap":"#)?;
        odd.gso = self.number(br#","gso":"#)?;
        odd.gso_type = self.text(br#","gso_type":"#)?;
        odd.link = self.text(br#","link":"#)?;
        odd.eth_src = self.text(br#","eth_src":"#)?;
        odd.eth_dst = self.text(br#","eth_dst":"#)?;
        if self.expect(br#","vlan":["#).is_some() {
            self.ids(&mut odd.vlan)?;
        }
        odd.src = self.text(br#","src":"#)?;
        Some(())
    }

    /// Numbers up to the end of their array.
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

    /// Strings up to the end of their array.
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

/// The highest bit of the first byte that is a quote, a backslash, no printable character or not
/// ASCII, if there is one; bytes behind it may have theirs as well.
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
        fn strings_end_at_the_first_byte_that_is_not_theirs(
            bytes in prop_oneof![any::<[u8; 8]>(), proptest::array::uniform8(0x1fu8..=0x23)]
        ) {
            let is_special = |byte: &u8| !(b' '..0x80).contains(byte) || b"\"\\".contains(byte);
            let place = bytes.iter().position(is_special).unwrap_or(8);
            prop_assert_eq!(special(u64::from_le_bytes(bytes)).trailing_zeros() as usize / 8, place);
        }

        #[test]
        fn integers_of_any_length_are_read(value in any::<u64>(), shift in 0u32..64) {
            let text = (value >> shift).to_string();
            let int = |text: &str| {
                let bytes = text.as_bytes();
                Rest { bytes, window: &pad(bytes), at: 0 }.int()
            };
            let expected = (text.len() < 20).then_some(value >> shift);
            prop_assert_eq!(int(&text), expected);
            prop_assert_eq!(int(&format!("0{text}")), None);
        }
    }
}
