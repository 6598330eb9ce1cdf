//! Lines of JSON: the sniffer's, and those of other programs.

use crate::files::{Loaded, loaded};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use summary::line::{ExcerptReader, PacketFields, Record, Writer, fields, parse};

/// Any bytes parse as a record or have an error. The fast readers agree with serde, and a packet
/// survives being written and parsed.
pub(crate) fn line(input: &[u8]) {
    if let Ok(text) = str::from_utf8(input) {
        check_fields(text);
    }
    // A space before the object excludes the fast parser.
    let by_serde = [b" ", input].concat();
    let by_serde = parse(&by_serde);
    let parsed = parse(input);
    assert_eq!(parsed.as_ref().ok(), by_serde.as_ref().ok());
    let Ok(Record::Packet(packet)) = parsed else { return };
    if let Some((excerpt, _)) = ExcerptReader::default().read(input) {
        assert_eq!((excerpt.n, excerpt.ts), (packet.n, packet.ts));
        let summary = &packet.summary;
        assert_eq!((excerpt.len, excerpt.vlan), (summary.len, summary.vlan));
        assert_eq!((excerpt.sport, excerpt.dport), (summary.sport, summary.dport));
        assert_eq!((excerpt.ttl, excerpt.flags), (summary.ttl, summary.tcp.flags));
    }
    let mut written = Vec::new();
    Writer::default().write(&packet, &mut written);
    assert_eq!(parse(&written), Ok(Record::Packet(packet)));
}

/// [`fields`] and [`PacketFields`] find the values that a map of serde_json has.
fn check_fields(text: &str) {
    let reference = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text).ok();
    let len = reference.as_ref().map(|fields| fields.get("len").map(|value| value.get()));
    let len = len.map(|value| value.filter(|value| *value != "null").map(str::to_owned));
    let found = PacketFields::parse(text).ok();
    assert_eq!(found.map(|fields| fields.len.json().map(Cow::into_owned)), len);
    let all = fields(text).ok().map(|fields| {
        let owned = fields.into_iter().map(|(name, value)| (name.into_owned(), value.to_owned()));
        owned.collect::<BTreeMap<_, _>>()
    });
    let text = |(name, value): (String, Box<RawValue>)| (name, value.get().to_owned());
    assert_eq!(all, reference.map(|fields| fields.into_iter().map(text).collect()));
}

/// The page reads a line of any program as a packet or as a problem. It reads a packet of the sniffer
/// in the same way whether or not the line is in the sniffer's own form.
pub(crate) fn generic_json(input: &[u8]) {
    let input = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if let Ok(text) = str::from_utf8(input) {
        viewer::load::other_fields(text);
    }
    let plain = loaded(input, input.len());
    assert!(plain.rows.len() <= 1 && plain.report.lines <= 1);
    if plain.rows.is_empty() {
        return;
    }
    // A space before the object excludes the fast parser.
    let mut spaced = loaded(&[b" ", input].concat(), usize::MAX);
    spaced.report.read_bytes = plain.report.read_bytes;
    if let Ok(Record::Packet(_)) = parse(input) {
        assert_eq!(spaced, Loaded { ..plain });
    }
}
