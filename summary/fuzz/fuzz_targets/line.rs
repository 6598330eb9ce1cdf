//! Any bytes are a record or an error, and a packet that was read is written and read as the same;
//! the fields of any line are those that serde_json finds, where its limit of depth is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use summary::line::{Record, Writer, fields, parse};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(line) = str::from_utf8(bytes) {
        let theirs = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(line);
        if !theirs.as_ref().is_err_and(|error| error.to_string().contains("recursion")) {
            let theirs = theirs.ok();
            let owned = |(name, value): (Cow<str>, &str)| (name.into_owned(), value.to_owned());
            let ours: Option<BTreeMap<_, _>> =
                fields(line).ok().map(|fields| fields.into_iter().map(owned).collect());
            let text = |(name, value): (String, Box<RawValue>)| (name, value.get().to_owned());
            let theirs = theirs.map(|fields| fields.into_iter().map(text).collect());
            assert_eq!(ours, theirs);
        }
    }
    let Ok(Record::Packet(packet)) = parse(bytes) else { return };
    let mut written = Vec::new();
    Writer::default().write(&packet, &mut written);
    assert_eq!(parse(&written), Ok(Record::Packet(packet)));
});
