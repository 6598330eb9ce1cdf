//! libpcap's own test cases: accepted expressions with the lengths of their programs, verdicts for the
//! packets of capture files, and rejected expressions with their error messages.

use crate::names::TestNames;
use filter::{LinkType, Metadata, Options, Program, Source, compile, run};
use serde::Deserialize;
use std::net::Ipv4Addr;
use tests::corpus;

#[derive(Deserialize)]
struct Accepted {
    name: String,
    #[serde(rename = "DLT")]
    link: String,
    aliases: Vec<String>,
    snaplen: Option<u32>,
    instructions: usize,
    #[serde(default)]
    linuxext: u8,
    netmask: Option<Ipv4Addr>,
}

#[derive(Deserialize)]
struct Applied {
    name: String,
    #[serde(rename = "expr")]
    expression: String,
    savefile: String,
    results: Vec<u32>,
    netmask: Option<Ipv4Addr>,
}

#[derive(Deserialize)]
struct Rejected {
    name: String,
    #[serde(rename = "DLT")]
    link: String,
    #[serde(rename = "expr")]
    expression: String,
    errstr: String,
}

/// For expressions that reject all packets, the cases have the program without optimization.
fn program(
    expression: &str,
    link: LinkType,
    options: &Options<'_>,
) -> Result<Program, filter::Error> {
    compile(expression, link, options).or_else(|error| match error.message() {
        "expression rejects all packets" => {
            compile(expression, link, &Options { optimize: false, ..*options })
        }
        _ => Err(error),
    })
}

#[test]
fn libpcaps_expressions_compile_to_short_programs() {
    let Some(text) = corpus::filter_cases("accept.json").unwrap() else { return };
    let cases: Vec<Accepted> = serde_json::from_str(&text).unwrap();
    let names = TestNames::new();
    let mut failures = Vec::new();
    let (mut total, mut theirs, mut worst) = (0, 0, (0.0f64, String::new()));
    for case in &cases {
        let link = LinkType::from_name(&case.link).unwrap();
        let source = match case.linuxext {
            0 => Source::File { big_endian: false },
            _ => Source::Live,
        };
        let options = Options {
            snaplen: case.snaplen.unwrap_or(262_144),
            source,
            netmask: case.netmask,
            names: &names,
            ..Options::default()
        };
        for alias in &case.aliases {
            match program(alias, link, &options) {
                Err(error) => failures.push(format!("{}: {error}", case.name)),
                Ok(program) => {
                    let len = program.instructions().len();
                    total += len;
                    theirs += case.instructions;
                    let ratio = len as f64 / case.instructions as f64;
                    if worst.0 < ratio {
                        worst = (ratio, format!("{} {alias}", case.link));
                    }
                    if 1.0 < ratio {
                        eprintln!(
                            "{len} instructions, libpcap {}: {} {alias}",
                            case.instructions, case.link
                        );
                    }
                }
            }
        }
    }
    eprintln!("{total} instructions, libpcap {theirs}; largest ratio: {worst:?}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(total * 5 <= theirs * 6, "more than 1.2 times as many instructions in total");
    assert!(worst.0 <= 2.0, "a program is more than twice as long: {worst:?}");
}

#[test]
fn packets_get_libpcaps_verdicts() {
    let Some(text) = corpus::filter_cases("apply.json").unwrap() else { return };
    let Some(root) = corpus::root().unwrap() else { return };
    let cases: Vec<Applied> = serde_json::from_str(&text).unwrap();
    let names = TestNames::new();
    let mut failures = Vec::new();
    for case in &cases {
        let path = root.join("libpcap").join(format!("filter__{}", case.savefile));
        let capture = corpus::capture(&path).unwrap();
        let verdicts = capture.frames.iter().map(|frame| {
            let options = Options {
                snaplen: case.results.iter().copied().max().filter(|m| *m != 0).unwrap_or(1),
                source: Source::File { big_endian: capture.is_big_endian },
                netmask: case.netmask,
                names: &names,
                ..Options::default()
            };
            let program = program(&case.expression, LinkType(frame.link.0.into()), &options)?;
            Ok(run(&program, &frame.bytes, frame.wire_len, &Metadata::default()))
        });
        match verdicts.collect::<Result<Vec<_>, filter::Error>>() {
            Err(error) => failures.push(format!("{} ({}): {error}", case.name, case.savefile)),
            Ok(verdicts) if verdicts != case.results => {
                failures.push(format!("{}: {verdicts:?}, expected {:?}", case.name, case.results));
            }
            Ok(_) => {}
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Cases whose expression lacks the name at its end, an error that this compiler reports first.
const NAMELESS: [&str; 2] = ["decnet_host", "geneve_and_gateway"];

#[test]
fn rejected_expressions_have_libpcaps_error_messages() {
    let Some(text) = corpus::filter_cases("reject.json").unwrap() else { return };
    let cases: Vec<Rejected> = serde_json::from_str(&text).unwrap();
    let names = TestNames::new();
    let options = Options { names: &names, ..Options::default() };
    let mut failures = Vec::new();
    for case in &cases {
        match compile(&case.expression, LinkType::from_name(&case.link).unwrap(), &options) {
            Ok(_) => failures.push(format!("{}: {} is accepted", case.name, case.expression)),
            Err(error) if error.message().contains(&case.errstr) => {}
            Err(error) if NAMELESS.contains(&case.name.as_str()) => {
                assert!(error.message().contains("syntax error: expected a name"), "{error}");
            }
            Err(error) => {
                failures.push(format!("{}: {error}\nexpected: {}", case.name, case.errstr));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}
