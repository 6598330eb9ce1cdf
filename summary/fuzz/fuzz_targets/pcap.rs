//! Any bytes as a capture file, whatever kind they say they are.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "walk.rs"]
mod walk;

fuzz_target!(|bytes: &[u8]| walk::walk(bytes));
