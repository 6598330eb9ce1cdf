//! Any program terminates on any packet.
#![no_main]

use filter::{Instruction, Metadata, Program, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<(u16, u8, u8, u32)>, &[u8], u32)| {
    let (instructions, bytes, len) = input;
    let instructions =
        instructions.into_iter().map(|(code, jt, jf, k)| Instruction { code, jt, jf, k });
    run(&Program::new(instructions.collect()), bytes, len, &Metadata::default());
});
