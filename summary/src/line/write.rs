//! The fast writer: bytes into a buffer that is used again and again, no allocation a packet.
//! `json` has the plain one, which defines what is right.

use std::fmt::{self, Display};

use crate::address::mac_text;
use crate::digits::{MAX_DIGITS, decimal};
use crate::timestamp::Clock;
use crate::{Address, LinkType, Packet, PayloadNames, Tcp};

/// Writes lines, and remembers the text of the last second.
#[derive(Debug)]
pub struct Writer {
    clock: Clock,
    /// Where lines are made.
    room: Box<[u8; ROOM]>,
}

/// More than all fields of a line have together but texts from outside, which are not made here.
const ROOM: usize = 1 << 10;

impl Default for Writer {
    fn default() -> Self {
        Self { clock: Clock::default(), room: Box::new([0; ROOM]) }
    }
}

impl Writer {
    /// Appends the line of `packet` with its line feed to `out`: the bytes that
    /// `serde_json::to_writer` of the same value would write.
    pub fn write(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        self.line(packet, Some(packet.n), out);
    }

    /// Appends what follows the number, for a line whose number is known later: [`write_n`]
    /// and this are the line.
    pub fn write_after_n(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        self.line(packet, None, out);
    }

    fn line(&mut self, packet: &Packet<'_>, n: Option<u64>, out: &mut Vec<u8>) {
        let summary = &packet.summary;
        let mut line = Line { room: &mut self.room, len: 0, out };
        line.number(START, n);
        line.put(br#","ts":""#);
        line.direct(|place| self.clock.text(packet.ts, place));
        line.put(b"\"");
        if let Some(interface) = &packet.interface {
            line.string(br#","if":"#, interface);
        }
        if let Some(direction) = packet.direction {
            line.plain(br#","dir":""#, direction.name());
        }
        line.number(br#","len":"#, Some(summary.len));
        line.number(br#","cap":"#, (summary.cap < summary.len).then_some(summary.cap));
        if let Some(gso) = packet.gso {
            line.number(br#","gso":"#, Some(gso.segment_len));
            line.plain(br#","gso_type":""#, gso.kind.name());
        }
        if summary.link != LinkType::ETHERNET {
            line.formatted(br#","link":""#, summary.link);
        }
        if let Some((source, destination)) = summary.eth {
            line.put(br#","eth_src":""#);
            line.direct(|place| mac_text(source, place));
            line.put(br#"","eth_dst":""#);
            line.direct(|place| mac_text(destination, place));
            line.put(b"\"");
        }
        if let [first, others @ ..] = summary.vlan.as_slice() {
            line.number(br#","vlan":["#, Some(*first));
            others.iter().for_each(|id| line.number(b",", Some(*id)));
            line.put(b"]");
        }
        line.address(br#","src":""#, summary.src);
        line.address(br#","dst":""#, summary.dst);
        line.number(br#","sport":"#, summary.sport);
        line.number(br#","dport":"#, summary.dport);
        match (summary.proto.own_name(), summary.proto.name()) {
            (Some(name), _) => line.plain(br#","proto":""#, name),
            (None, Some(name)) => line.string(br#","proto":"#, name),
            (None, None) => line.formatted(br#","proto":""#, &summary.proto),
        }
        line.number(br#","ttl":"#, summary.ttl);
        line.number(br#","frag":"#, summary.frag);
        if let Some(flags) = summary.tcp.flags {
            line.put(br#","flags":""#);
            let (letters, len) = FLAGS[usize::from(flags)];
            line.direct(|place| {
                *place = letters;
                len
            });
            line.put(b"\"");
        }
        line.number(br#","seq":"#, summary.tcp.seq);
        line.number(br#","ack":"#, summary.tcp.ack);
        line.number(br#","win":"#, summary.tcp.win);
        line.number(br#","payload":"#, summary.payload);
        line.number(br#","icmp_type":"#, summary.icmp_type);
        line.number(br#","icmp_code":"#, summary.icmp_code);
        line.number(br#","arp_op":"#, summary.arp_op);
        if !packet.names.is_empty() {
            line.names(&packet.names);
        }
        if let Some(id) = packet.community_id {
            line.put(br#","community_id":""#);
            line.direct(|place| id.text(place));
            line.put(b"\"");
        }
        if !summary.faults.is_empty() {
            let mut before: &[u8] = br#","err":["#;
            for fault in summary.faults.names() {
                line.put(before);
                line.plain(b"\"", fault);
                before = b",";
            }
            line.put(b"]");
        }
        line.put(b"}\n");
        line.flush();
    }
}

const START: &[u8; 18] = br#"{"type":"pkt","n":"#;

/// Appends the beginning of a packet's line, up to its number.
pub fn write_n(n: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(START);
    let mut place = [0; MAX_DIGITS];
    let len = decimal(n, &mut place);
    out.extend_from_slice(&place[..len]);
}

/// The letters of all sets of control bits.
static FLAGS: [([u8; 8], usize); 256] = {
    let mut sets = [([0; 8], 0); 256];
    let mut flags = 0;
    while flags < 256 {
        let mut bit = 0;
        while bit < 8 {
            if flags >> bit & 1 == 1 {
                sets[flags].0[sets[flags].1] = Tcp::FLAG_LETTERS[bit];
                sets[flags].1 += 1;
            }
            bit += 1;
        }
        flags += 1;
    }
    sets
};

/// A line being made. Each step copies a length that the compiler knows; what is from outside, and
/// of any length, goes past the room.
struct Line<'a> {
    room: &'a mut [u8; ROOM],
    len: usize,
    out: &'a mut Vec<u8>,
}

impl Line<'_> {
    #[inline]
    fn put(&mut self, text: &[u8]) {
        self.room[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    /// Has a text written behind what is there, by who knows its greatest length.
    #[inline]
    fn direct<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> usize) {
        if let Some(place) = self.room[self.len..].first_chunk_mut() {
            self.len += write(place);
        }
    }

    #[inline]
    fn number<const N: usize>(&mut self, key: &[u8; N], value: Option<impl Into<u64>>) {
        if let Some(value) = value {
            self.put(key);
            self.direct(|place| decimal(value.into(), place));
        }
    }

    fn address<const N: usize>(&mut self, key: &[u8; N], address: Option<Address>) {
        let Some(address) = address else { return };
        self.put(key);
        self.direct(|place| address.text(place));
        self.put(b"\"");
    }

    /// A text of this program's own, which needs no escape; `key` ends in the opening quote.
    fn plain<const N: usize>(&mut self, key: &[u8; N], text: &str) {
        self.put(key);
        self.put(text.as_bytes());
        self.put(b"\"");
    }

    /// A name of this program's own, which may hold a number; `key` ends in the opening quote.
    fn formatted<const N: usize>(&mut self, key: &[u8; N], name: impl Display) {
        self.put(key);
        // It refuses nothing, and a `Display` of this crate's does not fail.
        let _ = fmt::write(self, format_args!("{name}"));
        self.put(b"\"");
    }

    /// A text from outside.
    fn string<const N: usize>(&mut self, key: &[u8; N], text: &str) {
        let is_plain = text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
        if is_plain && text.len() <= MAX_SHORT_LEN {
            self.put(key);
            return self.plain(b"\"", text);
        }
        self.put(key);
        self.flush();
        // Text into memory: there is nothing to fail.
        let _ = serde_json::to_writer(&mut *self.out, text);
    }

    fn names(&mut self, names: &PayloadNames<'_>) {
        if let Some((name, kind)) = &names.dns {
            self.string(br#","dns":"#, name);
            self.formatted(br#","dns_type":""#, kind);
        }
        if let Some(name) = &names.sni {
            self.string(br#","sni":"#, name);
        }
        if let Some(name) = &names.host {
            self.string(br#","host":"#, name);
        }
        if let Some(version) = names.quic {
            self.formatted(br#","quic":""#, format_args!("{version:#010x}"));
        }
    }

    /// Hands on what was made so far.
    fn flush(&mut self) {
        self.out.extend_from_slice(&self.room[..self.len]);
        self.len = 0;
    }
}

impl fmt::Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

/// Names of interfaces and protocols are shorter.
const MAX_SHORT_LEN: usize = 32;
