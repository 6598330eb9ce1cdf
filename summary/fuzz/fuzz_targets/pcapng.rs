//! Any bytes behind the head of a pcapng section, in either byte order: a fuzzer finds the two lengths
//! of that block by itself, but not soon.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "walk.rs"]
mod walk;

fuzz_target!(|input: (bool, &[u8])| {
    let (is_big_endian, bytes) = input;
    let word = |value: u32| if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut file = vec![0x0a, 0x0d, 0x0d, 0x0a];
    for value in [28, 0x1a2b_3c4d, if is_big_endian { 1 << 16 } else { 1 }, u32::MAX, u32::MAX, 28] {
        file.extend(word(value));
    }
    file.extend(bytes);
    walk::walk(&file);
});
