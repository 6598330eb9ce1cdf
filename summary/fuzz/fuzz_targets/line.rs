//! Any bytes parse as a record or give an error, and a parsed packet survives being written and
//! parsed. `fields` and `PacketFields` find the values that a map of serde_json has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use summary::line::{PacketFields, Record, Writer, fields, parse};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(line) = str::from_utf8(bytes) {
        let reference = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(line).ok();
        let len = reference.as_ref().map(|fields| fields.get("len").map(|value| value.get()));
        let len = len.map(|value| value.filter(|value| *value != "null").map(str::to_owned));
        assert_eq!(PacketFields::parse(line).ok().map(|fields| fields.len.json().map(Cow::into_owned)), len);
        let all = fields(line).ok().map(|fields| {
            let owned = fields.into_iter().map(|(name, value)| (name.into_owned(), value.to_owned()));
            owned.collect::<BTreeMap<_, _>>()
        });
        let text = |(name, value): (String, Box<RawValue>)| (name, value.get().to_owned());
        assert_eq!(all, reference.map(|fields| fields.into_iter().map(text).collect()));
    }
    let Ok(Record::Packet(packet)) = parse(bytes) else { return };
    let mut written = Vec::new();
    Writer::default().write(&packet, &mut written);
    assert_eq!(parse(&written), Ok(Record::Packet(packet)));
});
