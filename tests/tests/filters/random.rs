//! Random expressions beside tcpdump's compiler: whether they are accepted, and what their programs say
//! of packets of the corpus. Both programs run on our machine, which the kernel is compared with elsewhere.

use crate::names::TestNames;
use crate::{grammar, tcpdump};
use filter::{Instruction, Metadata, Options, Program, code, run};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, thread};
use tests::corpus::Frame;

/// Link types, the more often the more packets there are of them.
const LINKS: [u32; 8] = [1, 1, 1, 1, 101, 113, 0, 9];
const MAX_FRAMES: usize = 400;

/// Seeds beyond the first ones whose expressions once seemed to mean something else than to tcpdump.
const REGRESSION_SEEDS: [u64; 22] = [
    1_754, 2_666, 3_748, 4_708, 5_073, 6_807, 8_053, 14_505, 20_714, 22_988, 23_710, 24_979,
    38_924, 42_303, 52_636, 80_148, 88_925, 89_747, 93_480, 99_967, 10_633, 22_554,
];

/// The same program, which says 1 where it rejects and 2 where it accepts. What else rejects a packet, a
/// load or a division, still says 0.
fn marked(program: &Program) -> Program {
    let mark = |instruction: &Instruction| match instruction.code {
        code::RET => Instruction { k: 1 + u32::from(instruction.k != 0), ..*instruction },
        _ => *instruction,
    };
    Program::new(program.instructions().iter().map(mark).collect())
}

/// The verdict of a marked program; `None` where no test came to it.
fn verdict(program: &Program, bytes: &[u8], len: u32) -> Option<bool> {
    let verdict = run(program, bytes, len, &Metadata::default());
    (verdict != 0).then_some(verdict == 2)
}

/// Whether two programs agree on a packet. Both compilers leave tests out whose outcome does not matter,
/// not always the same ones; that shows where such a test would load or divide what it cannot.
fn agree(own: &Program, theirs: &Program, bytes: &[u8], len: u32) -> bool {
    match (verdict(own, bytes, len), verdict(theirs, bytes, len)) {
        (Some(own), Some(theirs)) => own == theirs,
        _ => true,
    }
}

/// What is different for the expression of a seed, if anything is.
fn difference(seed: u64, traffic: &[tcpdump::Traffic], options: &Options<'_>) -> Option<String> {
    let mut rng = grammar::Rng(!seed);
    let link = LINKS[rng.below(LINKS.len())];
    let traffic = traffic.iter().find(|traffic| traffic.link.0 == link)?;
    let expression = grammar::expression(seed);
    let told =
        |what: String| Some(format!("seed {seed}, link type {link}: {expression}\n  {what}"));
    let theirs = tcpdump::program(&traffic.file, &expression, true);
    let own = tcpdump::compile_ours(&expression, traffic.link, options);
    let (own, theirs) = match (own, theirs) {
        (Ok(own), Ok(theirs)) => (marked(&own), marked(&theirs)),
        (Err(_), Err(_)) => return None,
        (Err(error), Ok(_)) => return told(format!("refused here: {error}")),
        // It looks at the first number in a divisor, even where that is an offset.
        (Ok(_), Err(message)) if message.ends_with("by zero") || message.ends_with("31 bits") => {
            return None;
        }
        (Ok(_), Err(message)) => return told(format!("refused there: {message}")),
    };
    let step = traffic.frames.len().div_ceil(MAX_FRAMES);
    for (place, frame) in traffic.frames.iter().enumerate().step_by(step) {
        let Frame { bytes, wire_len, .. } = frame;
        let mut is_same = agree(&own, &theirs, bytes, *wire_len);
        if verdict(&own, bytes, *wire_len).is_none() || verdict(&theirs, bytes, *wire_len).is_none()
        {
            // Too short for one of them, perhaps: longer, both have something to say.
            let mut longer = bytes.clone();
            longer.resize(1 << 16, 0);
            is_same &= agree(&own, &theirs, &longer, *wire_len);
        }
        if is_same {
            continue;
        }
        // libpcap's optimiser takes a header's length for loaded where another value is in the register;
        // what it makes of the expression at first is right.
        let plain = marked(&tcpdump::program(&traffic.file, &expression, false).unwrap());
        if !agree(&own, &plain, bytes, *wire_len) {
            let verdict = verdict(&own, bytes, *wire_len);
            return told(format!("frame {place} of the corpus: {verdict:?} here"));
        }
    }
    None
}

/// How many seeds are tried: `FILTER_SEEDS`, by default few enough for every run.
#[test]
fn random_expressions_mean_what_tcpdump_means() {
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
                    Some(kept) => *kept,
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
