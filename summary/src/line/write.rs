//! The fast writer: bytes into a buffer that is used again and again, no allocation a packet.
//! `json` has the plain one, which defines what is right.

use std::fmt::Display;
use std::io::Write;

use crate::address::write_mac;
use crate::timestamp::Clock;
use crate::{LinkType, Names, Packet, Tcp};

/// Writes lines, and remembers the text of the last second.
#[derive(Debug, Default)]
pub struct Writer {
    clock: Clock,
}

impl Writer {
    /// Appends the line of `packet` with its line feed to `out`: the bytes that
    /// `serde_json::to_writer` of the same value would write.
    pub fn packet(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        write_number(packet.n, out);
        self.after_number(packet, out);
    }

    /// Appends what follows the number, for a line whose number is known later: [`write_number`]
    /// and this are the line.
    pub fn after_number(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        let summary = &packet.summary;
        out.extend_from_slice(br#","ts":""#);
        self.clock.write(packet.ts, out);
        out.push(b'"');
        if let Some(interface) = &packet.interface {
            out.extend_from_slice(br#","if":"#);
            string(interface, out);
        }
        if let Some(direction) = packet.direction {
            plain(br#","dir":""#, direction.name(), out);
        }
        field(br#","len":"#, Some(summary.len), out);
        field(br#","cap":"#, (summary.cap < summary.len).then_some(summary.cap), out);
        if let Some(gso) = packet.gso {
            field(br#","gso":"#, Some(gso.segment_len), out);
            plain(br#","gso_type":""#, gso.kind.name(), out);
        }
        if summary.link != LinkType::ETHERNET {
            out.extend_from_slice(br#","link":"#);
            numbered(summary.link, out);
        }
        if let Some((source, destination)) = summary.eth {
            out.extend_from_slice(br#","eth_src":""#);
            write_mac(source, out);
            out.extend_from_slice(br#"","eth_dst":""#);
            write_mac(destination, out);
            out.push(b'"');
        }
        list(br#","vlan":["#, summary.vlan.as_slice().iter().copied(), int, out);
        for (key, address) in [(br#","src":""#, summary.src), (br#","dst":""#, summary.dst)] {
            if let Some(address) = address {
                out.extend_from_slice(key);
                address.write(out);
                out.push(b'"');
            }
        }
        field(br#","sport":"#, summary.sport, out);
        field(br#","dport":"#, summary.dport, out);
        out.extend_from_slice(br#","proto":"#);
        match summary.proto.name() {
            Some(name) => string(name, out),
            None => numbered(&summary.proto, out),
        }
        field(br#","ttl":"#, summary.ttl, out);
        field(br#","frag":"#, summary.frag, out);
        if let Some(flags) = summary.tcp.flags {
            out.extend_from_slice(br#","flags":""#);
            for (bit, letter) in Tcp::LETTERS.into_iter().enumerate() {
                if flags >> bit & 1 == 1 {
                    out.push(letter);
                }
            }
            out.push(b'"');
        }
        field(br#","seq":"#, summary.tcp.seq, out);
        field(br#","ack":"#, summary.tcp.ack, out);
        field(br#","win":"#, summary.tcp.win, out);
        field(br#","payload":"#, summary.payload, out);
        field(br#","icmp_type":"#, summary.icmp_type, out);
        field(br#","icmp_code":"#, summary.icmp_code, out);
        field(br#","arp_op":"#, summary.arp_op, out);
        if !packet.names.is_empty() {
            names(&packet.names, out);
        }
        if let Some(id) = packet.community_id {
            out.extend_from_slice(br#","community_id":""#);
            id.write(out);
            out.push(b'"');
        }
        if !summary.faults.is_empty() {
            list(br#","err":["#, summary.faults.names(), string, out);
        }
        out.extend_from_slice(b"}\n");
    }
}

fn names(names: &Names<'_>, out: &mut Vec<u8>) {
    if let Some((name, kind)) = &names.dns {
        out.extend_from_slice(br#","dns":"#);
        string(name, out);
        out.extend_from_slice(br#","dns_type":"#);
        numbered(kind, out);
    }
    for (key, name) in [(br#","sni":"#.as_slice(), &names.sni), (br#","host":"#, &names.host)] {
        if let Some(name) = name {
            out.extend_from_slice(key);
            string(name, out);
        }
    }
    if let Some(version) = names.quic {
        out.extend_from_slice(br#","quic":"#);
        numbered(format_args!("{version:#010x}"), out);
    }
}

/// Appends the beginning of a packet's line, up to its number.
pub fn write_number(n: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":"pkt","n":"#);
    int(n, out);
}

fn int(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn field(key: &[u8], value: Option<impl itoa::Integer>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        out.extend_from_slice(key);
        int(value, out);
    }
}

/// A text of this program's own, which needs no escape; `key` ends in the opening quote.
fn plain(key: &[u8], text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// A name of this program's own, which may hold a number.
fn numbered(name: impl Display, out: &mut Vec<u8>) {
    out.push(b'"');
    #[expect(clippy::expect_used, reason = "text into memory: there is nothing to fail")]
    write!(out, "{name}").expect("a Vec takes all bytes");
    out.push(b'"');
}

/// A text from outside.
fn string(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        return plain(b"\"", text, out);
    }
    #[expect(clippy::expect_used, reason = "text into memory: there is nothing to fail")]
    serde_json::to_writer(out, text).expect("a Vec takes all bytes");
}

/// A list, unless it is empty; `key` ends in the opening bracket.
fn list<T>(
    key: &[u8],
    values: impl Iterator<Item = T>,
    write: impl Fn(T, &mut Vec<u8>),
    out: &mut Vec<u8>,
) {
    let mut before = key;
    for value in values {
        out.extend_from_slice(before);
        write(value, out);
        before = b",";
    }
    if before == b"," {
        out.push(b']');
    }
}
