//! The fast line writer: no allocation per packet, no `core::fmt` for common values. Its output is
//! byte for byte that of [`write_json`] with the definition in `json`.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::net::IpAddr;

use crate::address::write_mac;
use crate::digits::{MAX_DIGITS, decimal};
use crate::timestamp::SecondCache;
use crate::{
    Address, IcmpQuote, LinkType, Mac, Packet, PayloadNames, Proto, RecordFormat, Tcp, TimeUnit,
    Timestamp, write_json,
};

/// Writes packets as lines. A writer is reused for all lines of an output.
#[derive(Debug)]
pub struct Writer {
    format: RecordFormat,
    times: SecondCache,
    /// Each line is assembled here.
    buf: Box<[u8; BUF_LEN]>,
}

/// More than the length of all fields of a line together, except for strings from outside, which are
/// not assembled in the buffer if they are long.
const BUF_LEN: usize = 2 << 10;

impl Default for Writer {
    fn default() -> Self {
        Self::new(&RecordFormat::default())
    }
}

impl Writer {
    /// A writer of lines with these times and tags.
    pub fn new(format: &RecordFormat) -> Self {
        let times = SecondCache::default();
        Self { format: format.clone(), times, buf: Box::new([0; BUF_LEN]) }
    }

    /// Appends the line of `packet`, with its line feed, to `out`: in the default format the bytes that
    /// [`write_json`] of the same packet would write.
    pub fn write(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        self.line(packet, Some(packet.n), out);
    }

    /// Appends the part of the line after the value of `n`, for packets that are numbered later. The
    /// output of [`write_n`] followed by this is the line.
    pub fn write_after_n(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        self.line(packet, None, out);
    }

    fn line(&mut self, packet: &Packet<'_>, n: Option<u64>, out: &mut Vec<u8>) {
        let summary = &packet.summary;
        let mut line = LineBuf { buf: &mut self.buf, len: 0, out };
        line.number(START, n);
        match self.format.time_unit {
            None => {
                line.put(br#","ts":""#);
                line.write_with(|buf| self.times.write(packet.ts, buf));
                line.put(b"\"");
            }
            Some(unit) => line.time_number(unit, packet.ts),
        }
        if let Some(interface) = &packet.interface {
            line.escaped(br#","if":"#, interface);
        }
        if let Some(direction) = packet.direction {
            line.unescaped(br#","dir":""#, direction.name());
        }
        line.number(br#","len":"#, Some(summary.len));
        line.number(br#","cap":"#, (summary.cap < summary.len).then_some(summary.cap));
        if let Some(gso) = packet.gso {
            line.number(br#","gso":"#, Some(gso.segment_len));
            line.unescaped(br#","gso_type":""#, gso.kind.name());
        }
        if summary.link != LinkType::ETHERNET {
            line.display(br#","link":""#, summary.link);
        }
        if summary.eth_src.is_some() || summary.eth_dst.is_some() {
            line.mac(br#","eth_src":""#, summary.eth_src);
            line.mac(br#","eth_dst":""#, summary.eth_dst);
        }
        if let [first, others @ ..] = summary.vlan.as_slice() {
            line.number(br#","vlan":["#, Some(*first));
            others.iter().for_each(|id| line.number(b",", Some(*id)));
            line.put(b"]");
        }
        if !summary.tunnel.is_empty() {
            line.display(br#","tunnel":""#, summary.tunnel);
            line.address(br#","outer_src":""#, summary.outer_src);
            line.address(br#","outer_dst":""#, summary.outer_dst);
        }
        line.address(br#","src":""#, summary.src);
        line.address(br#","dst":""#, summary.dst);
        line.number(br#","sport":"#, summary.sport);
        line.number(br#","dport":"#, summary.dport);
        match summary.proto.static_name() {
            Some(name) => line.unescaped(br#","proto":""#, name),
            None => line.unusual_proto(&summary.proto),
        }
        line.number(br#","ttl":"#, summary.ttl);
        line.number(br#","frag":"#, summary.frag);
        if let Some(flags) = summary.tcp.flags {
            line.put(br#","flags":""#);
            let (letters, len) = FLAGS[usize::from(flags)];
            line.write_with(|buf| {
                *buf = letters;
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
        if summary.icmp_quote != IcmpQuote::default() {
            line.icmp_quote(&summary.icmp_quote);
        }
        line.number(br#","arp_op":"#, summary.arp_op);
        if !packet.names.is_empty() {
            line.names(&packet.names);
        }
        if let Some(id) = packet.community_id {
            line.put(br#","community_id":""#);
            line.write_with(|buf| id.write_text(buf));
            line.put(b"\"");
        }
        if !summary.faults.is_empty() {
            let mut separator: &[u8] = br#","err":["#;
            for fault in summary.faults.names() {
                line.put(separator);
                line.unescaped(b"\"", fault);
                separator = b",";
            }
            line.put(b"]");
        }
        // Tags can be longer than the buffer.
        if self.format.tags.is_empty() {
            line.put(b"}\n");
            line.flush();
        } else {
            line.flush();
            out.extend_from_slice(self.format.tags.line_end());
        }
    }
}

/// Start of every packet line.
pub(super) const START: &[u8; 18] = br#"{"type":"pkt","n":"#;

/// Appends the start of a packet's line up to and including the value of `n`. See
/// [`Writer::write_after_n`].
pub fn write_n(n: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(START);
    let mut buf = [0; MAX_DIGITS];
    let len = decimal(n, &mut buf);
    out.extend_from_slice(&buf[..len]);
}

/// The letters of every combination of control bits, and how many there are.
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

/// A line in progress. The compiler knows the length of almost every copy; long strings from outside
/// bypass the buffer.
struct LineBuf<'a> {
    buf: &'a mut [u8; BUF_LEN],
    len: usize,
    out: &'a mut Vec<u8>,
}

impl LineBuf<'_> {
    #[inline]
    fn put(&mut self, text: &[u8]) {
        self.buf[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    /// Lets `write` append a text of at most `N` bytes; it returns the length.
    #[inline]
    fn write_with<const N: usize>(&mut self, write: impl FnOnce(&mut [u8; N]) -> usize) {
        if let Some(buf) = self.buf[self.len..].first_chunk_mut() {
            self.len += write(buf);
        }
    }

    fn time_number(&mut self, unit: TimeUnit, time: Timestamp) {
        let number = unit.number(time);
        self.put(br#","ts"#);
        self.put(unit.suffix().as_bytes());
        self.put(if number < 0 { b"\":-" } else { b"\":" });
        self.write_with(|buf| decimal(number.unsigned_abs(), buf));
    }

    #[inline]
    fn number<const N: usize>(&mut self, key: &[u8; N], value: Option<impl Into<u64>>) {
        if let Some(value) = value {
            self.put(key);
            self.write_with(|buf| decimal(value.into(), buf));
        }
    }

    fn address<const N: usize>(&mut self, key: &[u8; N], address: Option<IpAddr>) {
        let Some(address) = address else { return };
        self.put(key);
        self.write_with(|buf| Address::from(address).write_text(buf));
        self.put(b"\"");
    }

    #[inline(always)] // Not inlined, `cargo bench -p summary --bench stages format` takes 2 % longer.
    fn mac<const N: usize>(&mut self, key: &[u8; N], mac: Option<Mac>) {
        let Some(mac) = mac else { return };
        self.put(key);
        self.write_with(|buf| write_mac(mac, buf));
        self.put(b"\"");
    }

    #[cold]
    fn icmp_quote(&mut self, quote: &IcmpQuote) {
        self.address(br#","icmp_src":""#, quote.src);
        self.address(br#","icmp_dst":""#, quote.dst);
        if let Some(name) = quote.proto_name() {
            self.unescaped(br#","icmp_proto":""#, name);
        }
        self.number(br#","icmp_sport":"#, quote.sport);
        self.number(br#","icmp_dport":"#, quote.dport);
    }

    /// A protocol whose name is in no table.
    #[cold]
    fn unusual_proto(&mut self, proto: &Proto<'_>) {
        self.escaped(br#","proto":"#, proto.name());
        if let Some(number) = proto.number() {
            self.put(b",\"");
            self.put(number.field().as_bytes());
            self.number(b"\":", Some(number.value()));
        }
    }

    /// A short text that needs no escapes; `key` ends with the opening quote.
    fn unescaped<const N: usize>(&mut self, key: &[u8; N], text: &str) {
        self.put(key);
        self.put(text.as_bytes());
        self.put(b"\"");
    }

    /// A short value whose text needs no escapes; `key` ends with the opening quote.
    fn display<const N: usize>(&mut self, key: &[u8; N], name: impl Display) {
        self.put(key);
        // Neither `write_str` below nor a `Display` of this crate returns an error.
        let _ = fmt::write(self, format_args!("{name}"));
        self.put(b"\"");
    }

    /// A string from outside, of any length and with any characters.
    fn escaped<const N: usize>(&mut self, key: &[u8; N], text: &str) {
        let is_unescaped = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if text.len() <= MAX_SHORT_LEN && text.bytes().all(is_unescaped) {
            self.put(key);
            return self.unescaped(b"\"", text);
        }
        self.put(key);
        self.flush();
        // Writing a string to memory cannot fail.
        let _ = write_json(&mut *self.out, text);
    }

    /// A list of strings from outside; `key` ends with the opening bracket.
    fn strings<const N: usize>(&mut self, key: &[u8; N], texts: &[Cow<'_, str>]) {
        let [first, others @ ..] = texts else { return };
        self.escaped(key, first);
        others.iter().for_each(|text| self.escaped(b",", text));
        self.put(b"]");
        // The strings may have filled the buffer.
        self.flush();
    }

    fn names(&mut self, names: &PayloadNames<'_>) {
        if let Some((name, kind)) = &names.dns {
            self.escaped(br#","dns":"#, name);
            self.display(br#","dns_type":""#, kind);
        }
        if let Some(code) = names.dns_rcode {
            self.display(br#","dns_rcode":""#, code);
        }
        self.strings(br#","dns_answers":["#, &names.dns_answers);
        self.number(br#","dns_time_us":"#, names.dns_time_us);
        if let Some(name) = &names.sni {
            self.escaped(br#","sni":"#, name);
        }
        self.strings(br#","alpn":["#, &names.alpn);
        if names.ech {
            self.put(br#","ech":true"#);
        }
        if let Some(ja4) = &names.ja4 {
            self.unescaped(br#","ja4":""#, ja4.as_str());
        }
        if let Some(method) = &names.http_method {
            self.escaped(br#","http_method":"#, method);
        }
        if let Some(name) = &names.http_host {
            self.escaped(br#","http_host":"#, name);
        }
        if let Some(path) = &names.http_path {
            self.escaped(br#","http_path":"#, path);
        }
        self.number(br#","http_status":"#, names.http_status);
        if let Some(version) = names.quic {
            self.display(br#","quic":""#, format_args!("{version:#010x}"));
        }
    }

    /// Moves the contents of the buffer to the output.
    fn flush(&mut self) {
        self.out.extend_from_slice(&self.buf[..self.len]);
        self.len = 0;
    }
}

impl fmt::Write for LineBuf<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

/// Longest string that is assembled in the buffer. Names of interfaces and protocols are shorter.
const MAX_SHORT_LEN: usize = 32;
