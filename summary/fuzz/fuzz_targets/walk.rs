//! Walks through a file: any bytes are a capture file or an error, and every step leads on.

use summary::capture_file::{Reader, Step};
use summary::decode;

pub fn walk(bytes: &[u8]) {
    let (mut reader, mut rest) = (Reader::new(), bytes);
    loop {
        match reader.step(rest) {
            Ok(Step::Frame { consumed, frame }) => {
                assert!(0 < consumed && frame.interface < reader.interfaces().len());
                decode(frame.link, frame.bytes, frame.wire_len);
                rest = &rest[consumed..];
            }
            Ok(Step::Skipped { consumed }) => {
                assert!(0 < consumed);
                rest = &rest[consumed..];
            }
            Ok(Step::NeedMore { needed }) => {
                assert!(rest.len() < needed);
                break;
            }
            Err(_) => break,
        }
    }
}
