//! Compiles random expressions with tcpdump and with our compiler, and compares the verdicts of both
//! programs on packets of the corpus. Both run in our interpreter; the black-box tests compare that
//! with the kernel.

use crate::names::TestNames;
use crate::{grammar, tcpdump};
use filter::{Instruction, Metadata, Options, Program, code, run};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, thread};
use tests::corpus::Frame;

/// Link types. Types with more packets occur more often.
const LINKS: [u32; 8] = [1, 1, 1, 1, 101, 113, 0, 9];
const MAX_FRAMES: usize = 400;

/// Seeds outside the default range whose expressions once differed from tcpdump.
const REGRESSION_SEEDS: [u64; 22] = [
    1_754, 2_666, 3_748, 4_708, 5_073, 6_807, 8_053, 14_505, 20_714, 22_988, 23_710, 24_979,
    38_924, 42_303, 52_636, 80_148, 88_925, 89_747, 93_480, 99_967, 10_633, 22_554,
];

/// The same program, returning 1 to reject and 2 to accept. A load or a division that rejects the
/// packet still returns 0.
fn marked(program: &Program) -> Program {
    let mark = |instruction: &Instruction| match instruction.code {
        code::RET => Instruction { k: 1 + u32::from(instruction.k != 0), ..*instruction },
        _ => *instruction,
    };
    Program::new(program.instructions().iter().map(mark).collect())
}

/// The verdict of a marked program; `None` if a load or a division ended it.
fn verdict(program: &Program, bytes: &[u8], len: u32) -> Option<bool> {
    let verdict = run(program, bytes, len, &Metadata::default());
    (verdict != 0).then_some(verdict == 2)
}

/// Whether two programs agree on a packet. Both compilers remove tests whose outcome does not matter,
/// but not always the same ones, so one program can fail in a load or a division that the other lacks.
/// Such a packet does not count as a difference.
fn agree(own: &Program, theirs: &Program, bytes: &[u8], len: u32) -> bool {
    match (verdict(own, bytes, len), verdict(theirs, bytes, len)) {
        (Some(own), Some(theirs)) => own == theirs,
        _ => true,
    }
}

/// Describes the difference for the expression of a seed, if there is one.
fn difference(seed: u64, traffic: &[tcpdump::Traffic], options: &Options<'_>) -> Option<String> {
    let mut rng = grammar::Rng(!seed);
    let link = LINKS[rng.below(LINKS.len())];
    let traffic = traffic.iter().find(|traffic| traffic.link.0 == link)?;
    let expression = grammar::expression(seed);
    let report =
        |what: String| Some(format!("seed {seed}, link type {link}: {expression}\n  {what}"));
    let theirs = tcpdump::program(&traffic.file, &expression, true);
    let own = tcpdump::compile_ours(&expression, traffic.link, options);
    let (own, theirs) = match (own, theirs) {
        (Ok(own), Ok(theirs)) => (marked(&own), marked(&theirs)),
        (Err(_), Err(_)) => return None,
        (Err(error), Ok(_)) => return report(format!("rejected here: {error}")),
        // libpcap checks the first number in a divisor, even if that is an offset.
        (Ok(_), Err(message)) if message.ends_with("by zero") || message.ends_with("31 bits") => {
            return None;
        }
        (Ok(_), Err(message)) => return report(format!("rejected by tcpdump: {message}")),
    };
    let step = traffic.frames.len().div_ceil(MAX_FRAMES);
    for (index, frame) in traffic.frames.iter().enumerate().step_by(step) {
        let Frame { bytes, wire_len, .. } = frame;
        let mut is_same = agree(&own, &theirs, bytes, *wire_len);
        if verdict(&own, bytes, *wire_len).is_none() || verdict(&theirs, bytes, *wire_len).is_none()
        {
            // The packet can be too short for one of them: compare them on a longer one too.
            let mut longer = bytes.clone();
            longer.resize(1 << 16, 0);
            is_same &= agree(&own, &theirs, &longer, *wire_len);
        }
        if is_same {
            continue;
        }
        // libpcap's optimizer sometimes assumes the header length in a register that holds another
        // value. Its unoptimized program is right.
        let plain = marked(&tcpdump::program(&traffic.file, &expression, false).unwrap());
        if !agree(&own, &plain, bytes, *wire_len) {
            let verdict = verdict(&own, bytes, *wire_len);
            return report(format!("frame {index} of the corpus: {verdict:?} here"));
        }
    }
    None
}

/// `FILTER_SEEDS` sets the number of seeds; the default is small enough for every run.
#[test]
fn random_expressions_match_tcpdump() {
    let directory = tempfile::tempdir().unwrap();
    let Some(traffic) = tcpdump::traffic(&directory) else { return };
    let names = TestNames::new();
    let count = env::var("FILTER_SEEDS").map_or(1_500, |count| count.parse().unwrap());
    let next = AtomicU64::new(0);
    let worker = || {
        let options = tcpdump::options(&names);
        let mut differences = Vec::new();
        loop {
            let seed = match next.fetch_add(1, Ordering::Relaxed) {
                seed if seed < count => seed,
                more => match REGRESSION_SEEDS.get(usize::try_from(more - count).unwrap()) {
                    Some(seed) => *seed,
                    None => return differences,
                },
            };
            differences.extend(difference(seed, &traffic, &options));
        }
    };
    let differences: Vec<String> = thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    eprintln!("{count} expressions, {} differences", differences.len());
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}
