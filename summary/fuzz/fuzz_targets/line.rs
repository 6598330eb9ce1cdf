//! Any bytes are a record or an error, and a packet that was read is written and read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use summary::line::{Record, Writer, read};

fuzz_target!(|bytes: &[u8]| {
    let Ok(Record::Packet(packet)) = read(bytes) else { return };
    let mut written = Vec::new();
    Writer::default().packet(&packet, &mut written);
    assert_eq!(read(&written), Ok(Record::Packet(packet)));
});
