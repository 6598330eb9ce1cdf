//! Bytes from the network: frames, and the payloads in which names are found.

use std::borrow::Cow;
use summary::{
    CommunityId, Field, Layer, LinkType, Packet, PayloadNames, Proto, Summary, Timestamp,
    decode_with_payload, inspect, is_display_control, line, write_json,
};

/// A frame of any link type has a summary whose line, with names and Community ID, parses back; the
/// fast writer and serde write the same line, and nothing in it controls a terminal. The layers of the
/// frame are in order, and their fields have the values of the line.
///
/// Input: link type and missing bytes (16 bits each, little-endian), then the captured bytes.
pub(crate) fn decode(input: &[u8]) {
    let [l0, l1, m0, m1, bytes @ ..] = input else { return };
    let link = LinkType(u16::from_le_bytes([*l0, *l1]) % 300);
    let missing = u16::from_le_bytes([*m0, *m1]);
    let Ok(cap) = u32::try_from(bytes.len()) else { return };
    let decoded = decode_with_payload(link, bytes, cap + u32::from(missing));
    let mut buf = String::new();
    let packet = Packet {
        names: PayloadNames::parse(&decoded.summary, decoded.payload, &mut buf),
        community_id: CommunityId::of(&decoded.summary, missing),
        ..Packet::new(1, Timestamp::default(), decoded.summary)
    };
    check_line(&packet);
    check_layers(&inspect(link, bytes, cap + u32::from(missing)), &packet, bytes.len());
}

/// Fields of a line that are in no header, or in several.
const NOT_IN_A_HEADER: [&str; 20] = [
    "type",
    "n",
    "ts",
    "len",
    "cap",
    "link",
    "proto",
    "ethertype",
    "ip_proto",
    "linktype",
    "payload",
    "icmp_proto",
    "dns_rcode",
    "dns_answers",
    "alpn",
    "ech",
    "community_id",
    "err",
    "vlan",
    "tunnel",
];

fn check_layers(layers: &[Layer], packet: &Packet<'_>, frame_len: usize) {
    let mut end = 0;
    for layer in layers {
        assert!(end <= layer.bytes.start && layer.bytes.start < layer.bytes.end, "{layers:?}");
        end = layer.bytes.end;
        assert!(end <= frame_len && !layer.name.is_empty(), "{layers:?}");
        layer.fields.iter().for_each(|field| check_field(field, &layer.bytes));
    }
    let fields: Vec<_> = layers.iter().flat_map(|layer| &layer.fields).collect();
    let mut written = Vec::new();
    line::Writer::default().write(packet, &mut written);
    let text = String::from_utf8(written).expect("UTF-8");
    for (name, value) in line::fields(&text).expect("an object") {
        if NOT_IN_A_HEADER.contains(&&*name) {
            continue;
        }
        let value = line::string(value).unwrap_or(Cow::Borrowed(value));
        let mut same = fields.iter().filter(|field| field.key == Some(&*name));
        assert!(same.any(|field| field.value == value), "{name} {value}: {layers:?}");
    }
    let tags = fields.iter().filter(|field| field.key == Some("vlan")).map(|field| &*field.value);
    let ids = packet.summary.vlan.as_slice().iter().map(ToString::to_string);
    // A tag beyond the capacity can repeat an identifier.
    assert!(tags.take(packet.summary.vlan.as_slice().len()).eq(ids), "{layers:?}");
}

fn check_field(field: &Field, parent: &std::ops::Range<usize>) {
    assert!(field.bits.start < field.bits.end && !field.name.is_empty(), "{field:?}");
    let bytes = field.bytes();
    assert!(parent.start <= bytes.start && bytes.end <= parent.end, "{field:?} {parent:?}");
    field.fields.iter().for_each(|part| check_field(part, &bytes));
}

/// A name found in a payload is also found if more bytes follow, unless they prove that it was none, and
/// its line parses back.
///
/// Input: bit 0 of the first byte selects TCP, bit 1 the port of DNS; the payload follows.
pub(crate) fn names(input: &[u8]) {
    let [kind, payload @ ..] = input else { return };
    let mut summary = Summary::new(LinkType::ETHERNET, 0, 0);
    summary.proto = Proto::parse(if kind & 1 == 1 { "tcp" } else { "udp" });
    summary.dport = Some(if kind & 2 == 2 { 53 } else { 443 });
    let mut buf = String::new();
    let all = PayloadNames::parse(&summary, payload, &mut buf);
    for len in [payload.len() / 2, payload.len().saturating_sub(1)] {
        let mut buf = String::new();
        let some = PayloadNames::parse(&summary, &payload[..len], &mut buf);
        // The host of a request and the protocols of a ClientHello may follow. A second host or server name
        // takes back the first one.
        let same = PayloadNames {
            sni: some.sni.clone().map(|name| all.sni.clone().unwrap_or(name)),
            http_host: some.http_host.clone().map(|host| all.http_host.clone().unwrap_or(host)),
            alpn: if some.alpn.is_empty() { Vec::new() } else { all.alpn.clone() },
            ech: some.ech && all.ech,
            ..all.clone()
        };
        assert!(some.is_empty() || all.is_empty() || some == same, "{some:?} became {all:?}");
    }
    check_line(&Packet { names: all, ..Packet::new(1, Timestamp::default(), summary) });
}

pub(crate) fn check_line(packet: &Packet<'_>) {
    let mut written = Vec::new();
    line::Writer::default().write(packet, &mut written);
    let mut expected = Vec::new();
    write_json(&mut expected, packet).expect("plain data");
    expected.push(b'\n');
    assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&expected));
    assert_eq!(line::parse(&written), Ok(line::Record::Packet(packet.clone())));
    // A space before the object excludes the fast parser.
    let unusual = [b" ", &written[..]].concat();
    assert_eq!(line::parse(&unusual), Ok(line::Record::Packet(packet.clone())));
    let text = String::from_utf8(written).expect("UTF-8");
    assert_eq!(text.find(is_display_control), Some(text.len() - 1), "only the line feed");
    let fields = line::fields(&text).expect("an object");
    let sni = fields.iter().find(|(name, _)| name == "sni").and_then(|field| line::string(field.1));
    assert_eq!(sni, packet.names.sni.as_deref().map(Cow::Borrowed));
}
