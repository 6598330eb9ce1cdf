//! The fast tokenizer for packet lines in the writer's form: its field order, no spaces, no escapes. It
//! finds the values of the fields; `parse` and `excerpt` interpret them. `cursor` reads the
//! bytes.

use super::cursor::{Cursor, TAG, WINDOW_LEN, pad};
use super::write::START;
use crate::{ProtoNumber, Timestamp, VlanIds};

/// The values of a packet line. Strings are without their quotation marks: ASCII without escapes.
#[derive(Debug)]
pub(super) struct RawFields<'a> {
    pub(super) n: u64,
    pub(super) ts: RawTime<'a>,
    pub(super) interface: Option<&'a [u8]>,
    pub(super) direction: Option<&'a [u8]>,
    pub(super) len: u64,
    pub(super) cap: Option<u64>,
    pub(super) gso: Option<u64>,
    pub(super) gso_type: Option<&'a [u8]>,
    pub(super) link: Option<&'a [u8]>,
    pub(super) eth_src: Option<&'a [u8]>,
    pub(super) eth_dst: Option<&'a [u8]>,
    pub(super) vlan: VlanIds,
    pub(super) tunnel: Option<&'a [u8]>,
    pub(super) outer_src: Option<&'a [u8]>,
    pub(super) outer_dst: Option<&'a [u8]>,
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
    pub(super) icmp_src: Option<&'a [u8]>,
    pub(super) icmp_dst: Option<&'a [u8]>,
    pub(super) icmp_proto: Option<&'a [u8]>,
    pub(super) icmp_sport: Option<u64>,
    pub(super) icmp_dport: Option<u64>,
    pub(super) arp_op: Option<u64>,
    pub(super) dns: Option<&'a [u8]>,
    pub(super) dns_type: Option<&'a [u8]>,
    pub(super) dns_rcode: Option<&'a [u8]>,
    /// The elements with their quotation marks and commas.
    pub(super) dns_answers: Option<&'a [u8]>,
    pub(super) dns_time_us: Option<u64>,
    pub(super) sni: Option<&'a [u8]>,
    /// The elements of `alpn` with their quotation marks and commas.
    pub(super) alpn: Option<&'a [u8]>,
    pub(super) ech: bool,
    pub(super) ja4: Option<&'a [u8]>,
    pub(super) http_method: Option<&'a [u8]>,
    pub(super) http_host: Option<&'a [u8]>,
    pub(super) http_path: Option<&'a [u8]>,
    pub(super) http_status: Option<u64>,
    pub(super) quic: Option<&'a [u8]>,
    pub(super) community_id: Option<&'a [u8]>,
    /// The elements of `err` with their quotation marks and commas.
    pub(super) err: Option<&'a [u8]>,
}

/// The time of a packet.
#[derive(Debug)]
pub(super) enum RawTime<'a> {
    /// Text of the right length.
    Text(&'a [u8]),
    /// From a number since the epoch.
    Number(Timestamp),
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
    vlan: VlanIds,
    tunnel: Option<&'a [u8]>,
    outer_src: Option<&'a [u8]>,
    outer_dst: Option<&'a [u8]>,
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
    let mut cursor = Cursor::new(bytes, window);
    cursor.expect(START)?;
    // The writer counts from 1.
    let n = cursor.int().filter(|n| 0 < *n)?;
    let ts = match cursor.expect(br#","ts":"#) {
        Some(()) => RawTime::Text(cursor.time()?),
        None => RawTime::Number(cursor.time_number()?),
    };
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
    if ttl.is_none() && cursor.may_be_proto_number() {
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
        tunnel: rare.tunnel,
        outer_src: rare.outer_src,
        outer_dst: rare.outer_dst,
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
        icmp_src: None,
        icmp_dst: None,
        icmp_proto: None,
        icmp_sport: None,
        icmp_dport: None,
        arp_op: None,
        dns: None,
        dns_type: None,
        dns_rcode: None,
        dns_answers: None,
        dns_time_us: None,
        sni: None,
        alpn: None,
        ech: false,
        ja4: None,
        http_method: None,
        http_host: None,
        http_path: None,
        http_status: None,
        quic: None,
        community_id: None,
        err: None,
    };
    // Most lines end here.
    if cursor.expect(b"}").is_none() {
        if cursor.is_at(TAG) {
            cursor.ignored_fields()?;
            cursor.expect(b"}")?;
            return (cursor.offset() <= WINDOW_LEN).then_some((fields, cursor.offset()));
        }
        fields.icmp_type = cursor.number_cold(br#","icmp_type":"#)?;
        fields.icmp_code = cursor.number_cold(br#","icmp_code":"#)?;
        if fields.icmp_type.is_some() {
            fields.icmp_src = cursor.text_cold(br#","icmp_src":"#)?;
            fields.icmp_dst = cursor.text_cold(br#","icmp_dst":"#)?;
            fields.icmp_proto = cursor.text_cold(br#","icmp_proto":"#)?;
            fields.icmp_sport = cursor.number_cold(br#","icmp_sport":"#)?;
            fields.icmp_dport = cursor.number_cold(br#","icmp_dport":"#)?;
        }
        fields.arp_op = cursor.number_cold(br#","arp_op":"#)?;
        fields.dns = cursor.text_cold(br#","dns":"#)?;
        fields.dns_type = cursor.text_cold(br#","dns_type":"#)?;
        fields.dns_rcode = cursor.text_cold(br#","dns_rcode":"#)?;
        if cursor.expect(br#","dns_answers":["#).is_some() {
            fields.dns_answers = Some(cursor.strings()?);
        }
        fields.dns_time_us = cursor.number_cold(br#","dns_time_us":"#)?;
        fields.sni = cursor.text_cold(br#","sni":"#)?;
        if cursor.expect(br#","alpn":["#).is_some() {
            fields.alpn = Some(cursor.strings()?);
        }
        fields.ech = cursor.expect(br#","ech":true"#).is_some();
        fields.ja4 = cursor.text_cold(br#","ja4":"#)?;
        fields.http_method = cursor.text_cold(br#","http_method":"#)?;
        fields.http_host = cursor.text_cold(br#","http_host":"#)?;
        if fields.http_host.is_none() {
            // The name in the former format.
            fields.http_host = cursor.text_cold(br#","host":"#)?;
        }
        fields.http_path = cursor.text_cold(br#","http_path":"#)?;
        fields.http_status = cursor.number_cold(br#","http_status":"#)?;
        fields.quic = cursor.text_cold(br#","quic":"#)?;
        fields.community_id = cursor.text_cold(br#","community_id":"#)?;
        if cursor.expect(br#","err":["#).is_some() {
            fields.err = Some(cursor.strings()?);
        }
        if cursor.expect(b"}").is_none() {
            cursor.ignored_fields()?;
            cursor.expect(b"}")?;
        }
    }
    (cursor.offset() <= WINDOW_LEN).then_some((fields, cursor.offset()))
}

impl<'a> Cursor<'a, '_> {
    /// The fields between `len` and `dst`.
    #[inline(never)]
    fn rare_fields(&mut self, rare: &mut RareFields<'a>) -> Option<()> {
        rare.cap = self.number_cold(br#","cap":"#)?;
        rare.gso = self.number_cold(br#","gso":"#)?;
        rare.gso_type = self.text_cold(br#","gso_type":"#)?;
        rare.link = self.text_cold(br#","link":"#)?;
        rare.eth_src = self.text(br#","eth_src":"#)?;
        rare.eth_dst = self.text(br#","eth_dst":"#)?;
        if self.expect(br#","vlan":["#).is_some() {
            self.ids(&mut rare.vlan)?;
        }
        rare.tunnel = self.text_cold(br#","tunnel":"#)?;
        if rare.tunnel.is_some() {
            rare.outer_src = self.text_cold(br#","outer_src":"#)?;
            rare.outer_dst = self.text_cold(br#","outer_dst":"#)?;
        }
        rare.src = self.text(br#","src":"#)?;
        Some(())
    }
}
