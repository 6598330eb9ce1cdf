//! Filters the corpus with each expression of a list, and compares the result with `tcpdump -r`.

use crate::names::TestNames;
use crate::tcpdump::{self, Traffic};
use filter::{Metadata, Options, Program, run};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tests::corpus::Frame;

/// Terms of every kind, for all link types.
const TERMS: &str = include_str!("terms.txt");

/// Link types that both compilers support.
const LINKS: [u32; 12] = [0, 1, 8, 9, 101, 105, 108, 113, 127, 228, 229, 276];

/// Link types with headers of variable length: libpcap does not optimize programs for them.
const VARIABLE: [u32; 2] = [105, 127];

/// Why the results differ from libpcap 1.10.3, for known bugs of it.
fn known_bug(link: u32, expression: &str) -> Option<&'static str> {
    // If there is no tunnel, tests after it read memory that libpcap does not initialize.
    if let Some(offset) = expression.find("geneve")
        && let (before, after) = expression.split_at(offset)
        && (before.contains("not (") || after.contains(" or ") || after.contains(" not "))
    {
        return Some("libpcap reads uninitialized memory");
    }
    if VARIABLE.contains(&link) && (expression.contains('[') || expression.contains("len")) {
        return Some(
            "libpcap keeps the length of the header and intermediate results in the same memory",
        );
    }
    if link == 127 && expression.contains("pppoes") {
        return Some("libpcap ignores radiotap padding for tests of PPPoE payloads");
    }
    if expression.contains("ip6 protochain 17") {
        return Some("libpcap computes the wrong offset after an authentication header");
    }
    None
}

/// The terms, alone and combined.
fn expressions() -> Vec<String> {
    let terms: Vec<_> = TERMS.lines().collect();
    let mut expressions: Vec<_> = terms.iter().map(|term| (*term).to_owned()).collect();
    for (n, term) in terms.iter().enumerate() {
        let other = |step: usize| terms[(n * step + 11) % terms.len()];
        expressions.push(format!("not ({term}) and ({})", other(7)));
        expressions.push(format!("({term}) or ({}) and not ({})", other(5), other(13)));
    }
    expressions
}

/// Results of comparing filters.
#[derive(Default)]
struct Comparison {
    compared: usize,
    rejected: usize,
    excused: usize,
    differences: Vec<String>,
}

impl Comparison {
    /// Filters `traffic` with `expression`.
    fn add(&mut self, expression: &str, traffic: &Traffic, options: &Options<'_>) {
        let link = traffic.link;
        let options = Options { optimize: !VARIABLE.contains(&link.0), ..*options };
        let own = tcpdump::compile_ours(expression, link, &options);
        let theirs = tcpdump::accepted(&traffic.file, expression);
        let difference = match (own, theirs) {
            (Ok(program), Ok(theirs)) => {
                self.compared += 1;
                let own = accepted(&program, &traffic.frames);
                let different = own.symmetric_difference(&theirs).next();
                different.map(|frame| {
                    format!("{} here, tcpdump {}: frame {frame}", own.len(), theirs.len())
                })
            }
            (Err(_), Err(_)) => {
                self.rejected += 1;
                None
            }
            (Err(error), Ok(_)) => Some(format!("rejected here: {error}")),
            (Ok(_), Err(message)) => Some(format!("rejected by tcpdump: {message}")),
        };
        match difference {
            Some(_) if known_bug(link.0, expression).is_some() => self.excused += 1,
            Some(difference) => {
                self.differences.push(format!("{link:?} {expression}: {difference}"));
            }
            None => {}
        }
    }
}

#[test]
fn corpus_is_filtered_like_tcpdump() {
    let directory = tempfile::tempdir().unwrap();
    let Some(traffic) = tcpdump::traffic(&directory) else { return };
    let names = TestNames::new();
    let expressions = expressions();
    let next = AtomicUsize::new(0);
    let worker = || {
        let options = tcpdump::options(&names);
        let mut comparison = Comparison::default();
        while let Some(expression) = expressions.get(next.fetch_add(1, Ordering::Relaxed)) {
            for traffic in traffic.iter().filter(|traffic| LINKS.contains(&traffic.link.0)) {
                comparison.add(expression, traffic, &options);
            }
        }
        comparison
    };
    let mut total = Comparison::default();
    thread::scope(|scope| {
        for worker in [scope.spawn(worker), scope.spawn(worker)] {
            let part = worker.join().unwrap();
            total.compared += part.compared;
            total.rejected += part.rejected;
            total.excused += part.excused;
            total.differences.extend(part.differences);
        }
    });
    let Comparison { compared, rejected, excused, differences } = total;
    let count = expressions.len();
    eprintln!(
        "{count} expressions: {compared} compared, {rejected} rejected by both, {excused} known bugs"
    );
    assert!(500 <= count && 5 * count < compared, "too few expressions compared");
    assert!(excused * 50 < compared, "too many known bugs");
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// The indices of the frames that a program accepts.
fn accepted(program: &Program, frames: &[Frame]) -> BTreeSet<usize> {
    let is_accepted =
        |frame: &Frame| run(program, &frame.bytes, frame.wire_len, &Metadata::default()) != 0;
    (0..frames.len()).filter(|index| is_accepted(&frames[*index])).collect()
}
