//! Any bytes of any link type give a summary, with names and all, whose line reads back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use summary::{CommunityId, LinkType, PayloadNames, Packet, Timestamp, decode_with_payload, line};

fuzz_target!(|input: (u16, u16, &[u8])| {
    let (link, more, bytes) = input;
    let wire_len = bytes.len() as u32 + u32::from(more);
    let decoded = decode_with_payload(LinkType(link % 300), bytes, wire_len);
    let mut room = String::new();
    let packet = Packet {
        names: PayloadNames::parse(&decoded.summary, decoded.payload, &mut room),
        community_id: CommunityId::of(&decoded.summary, more),
        ..Packet::new(1, Timestamp::default(), decoded.summary)
    };
    let mut written = Vec::new();
    line::Writer::default().write(&packet, &mut written);
    let mut plain = serde_json_of(&packet);
    plain.push(b'\n');
    assert_eq!(written, plain);
    assert_eq!(line::parse(&written), Ok(line::Record::Packet(packet)));
});

fn serde_json_of(packet: &Packet<'_>) -> Vec<u8> {
    serde_json::to_vec(packet).expect("plain data")
}
