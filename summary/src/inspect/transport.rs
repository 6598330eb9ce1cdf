//! Fields of transport headers and of ICMP.

use super::fields::{Fields, bits};
use super::options;
use crate::Tcp;

pub(crate) fn tcp(fields: &mut Fields<'_>) {
    let len = usize::from(fields.byte(12) >> 4) * 4;
    fields.header("TCP", len.max(20));
    ports(fields);
    fields.number("Sequence number", 32..64).key("seq");
    // The line has an acknowledgment number only if the flag was captured and is set.
    let has_ack = fields.byte(13) & Tcp::ACK != 0;
    let added = fields.number("Acknowledgment number", 64..96);
    if has_ack {
        added.key("ack");
    }
    fields.number("Data offset", 96..100).meaning(format!("{len} bytes"));
    let flags = fields.byte(13);
    let names = ["CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"];
    fields
        .flags("Flags", 104..112, &names)
        .value(Tcp::flag_letters(flags))
        .meaning(format!("0x{flags:02x}"))
        .key("flags");
    fields.number("Window", 112..128).key("win");
    fields.hex("Checksum", 128..144);
    fields.number("Urgent pointer", 144..160);
    options::list(fields, 20, options::tcp);
}

pub(crate) fn udp(fields: &mut Fields<'_>) {
    fields.header("UDP", 8);
    ports(fields);
    fields.number("Length", 32..48);
    fields.hex("Checksum", 48..64);
}

pub(crate) fn udp_lite(fields: &mut Fields<'_>) {
    fields.header("UDP-Lite", 8);
    ports(fields);
    fields.number("Checksum coverage", 32..48);
    fields.hex("Checksum", 48..64);
}

pub(crate) fn sctp(fields: &mut Fields<'_>) {
    fields.header("SCTP", 12);
    ports(fields);
    fields.hex("Verification tag", 32..64);
    fields.hex("Checksum", 64..96);
}

pub(crate) fn dccp(fields: &mut Fields<'_>) {
    let len = usize::from(fields.byte(8)) * 4;
    fields.header("DCCP", len.max(12));
    ports(fields);
    fields.number("Data offset", 64..72).meaning(format!("{len} bytes"));
    fields.number("CCVal", 72..76);
    fields.number("Checksum coverage", 76..80);
    fields.hex("Checksum", 80..96);
    fields.number("Type", 99..103);
    fields.number("Extended sequence numbers", 103..104);
}

fn ports(fields: &mut Fields<'_>) {
    fields.number("Source port", 0..16).key("sport");
    fields.number("Destination port", 16..32).key("dport");
}

pub(crate) fn icmp(fields: &mut Fields<'_>) {
    let meaning = match fields.byte(0) {
        0 => "echo reply",
        3 => "destination unreachable",
        5 => "redirect",
        8 => "echo request",
        9 => "router advertisement",
        10 => "router solicitation",
        11 => "time exceeded",
        12 => "parameter problem",
        13 => "timestamp",
        14 => "timestamp reply",
        _ => "",
    };
    let is_query = matches!(fields.byte(0), 0 | 8 | 13 | 14);
    message(fields, "ICMP", meaning, is_query);
}

pub(crate) fn icmp6(fields: &mut Fields<'_>) {
    let meaning = match fields.byte(0) {
        1 => "destination unreachable",
        2 => "packet too big",
        3 => "time exceeded",
        4 => "parameter problem",
        128 => "echo request",
        129 => "echo reply",
        130 => "multicast listener query",
        131 => "multicast listener report",
        132 => "multicast listener done",
        133 => "router solicitation",
        134 => "router advertisement",
        135 => "neighbor solicitation",
        136 => "neighbor advertisement",
        137 => "redirect",
        143 => "multicast listener report v2",
        _ => "",
    };
    let is_query = matches!(fields.byte(0), 128 | 129);
    message(fields, "ICMPv6", meaning, is_query);
}

fn message(fields: &mut Fields<'_>, name: &'static str, meaning: &'static str, is_query: bool) {
    let len = if is_query { 8 } else { 4 };
    fields.header(name, len);
    fields.number("Type", 0..8).meaning(meaning).key("icmp_type");
    fields.number("Code", 8..16).key("icmp_code");
    fields.hex("Checksum", bits(2..4));
    if is_query {
        fields.hex("Identifier", 32..48);
        fields.number("Sequence number", 48..64);
    }
}
