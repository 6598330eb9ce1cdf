//! Each expression of a list over the whole corpus, beside `tcpdump -r`.

use crate::names::TestNames;
use crate::tcpdump;
use filter::{Metadata, Options, Program, run};
use std::collections::BTreeSet;
use tests::corpus::Frame;

/// Terms of every kind, for all link types; combined they are more.
const TERMS: &str = include_str!("terms.txt");

/// The link types that both know.
const LINKS: [u32; 12] = [0, 1, 8, 9, 101, 105, 108, 113, 127, 228, 229, 276];

/// Link types whose headers vary in length: libpcap leaves programs for them as they are first made.
const VARIABLE: [u32; 2] = [105, 127];

/// Why libpcap 1.10.3 and we differ, where we do.
fn reason(link: u32, expression: &str) -> Option<&'static str> {
    // What is tested after a tunnel that is not there depends on memory that libpcap does not set.
    if let Some(place) = expression.find("geneve")
        && let (before, after) = expression.split_at(place)
        && (before.contains("not (") || after.contains(" or ") || after.contains(" not "))
    {
        return Some("memory that is not set");
    }
    if VARIABLE.contains(&link) && (expression.contains('[') || expression.contains("len")) {
        return Some("libpcap keeps the header's length and parts of formulas in the same words");
    }
    if link == 127 && expression.contains("pppoes") {
        return Some("libpcap forgets radiotap's padding once a test is about what PPPoE carries");
    }
    if expression.contains("ip6 protochain 17") {
        return Some("libpcap goes on from the wrong place after an authentication header");
    }
    None
}

/// The terms, and what they are in combination.
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

#[test]
fn the_corpus_is_filtered_as_tcpdump_filters_it() {
    let directory = tempfile::tempdir().unwrap();
    let Some(traffic) = tcpdump::traffic(&directory) else { return };
    let names = TestNames::new();
    let options = tcpdump::options(&names);
    let expressions = expressions();
    let (mut compared, mut refused, mut excused, mut differences) = (0, 0, 0, Vec::new());
    for traffic in traffic.iter().filter(|traffic| LINKS.contains(&traffic.link.0)) {
        let is_plain = VARIABLE.contains(&traffic.link.0);
        let options = Options { optimize: !is_plain, ..options };
        for expression in &expressions {
            let own = tcpdump::compile_ours(expression, traffic.link, &options);
            let theirs = tcpdump::accepted(&traffic.file, expression);
            let difference = match (own, theirs) {
                (Ok(program), Ok(theirs)) => {
                    compared += 1;
                    let own = places(&program, &traffic.frames);
                    let different = own.symmetric_difference(&theirs).next();
                    different
                        .map(|place| format!("{} here, {} there: {place}", own.len(), theirs.len()))
                }
                (Err(_), Err(_)) => {
                    refused += 1;
                    None
                }
                (Err(error), Ok(_)) => Some(format!("refused here: {error}")),
                (Ok(_), Err(message)) => Some(format!("refused there: {message}")),
            };
            match difference {
                Some(_) if reason(traffic.link.0, expression).is_some() => excused += 1,
                Some(difference) => {
                    differences.push(format!("{:?} {expression}: {difference}", traffic.link));
                }
                None => {}
            }
        }
    }
    let count = expressions.len();
    eprintln!(
        "{count} expressions: {compared} compared, {refused} refused by both, {excused} excused"
    );
    assert!(500 <= count && 5 * count < compared, "the list is long enough");
    assert!(excused * 50 < compared, "few are excused");
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// The places of the frames that a program accepts.
fn places(program: &Program, frames: &[Frame]) -> BTreeSet<usize> {
    let is_accepted =
        |frame: &Frame| run(program, &frame.bytes, frame.wire_len, &Metadata::default()) != 0;
    (0..frames.len()).filter(|place| is_accepted(&frames[*place])).collect()
}
