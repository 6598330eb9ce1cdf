//! The analysis of TCP in the page: it finds what the sniffer finds.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::tempdir;
use tests::corpus;
use tests::files::{gzip, write};
use tests::frames::pcap_of;
use tests::growing::Growing;
use tests::page::Page;
use tests::process::run;
use xtask::build;

use crate::flows::{ACK, SYN, segment};

/// The fields of findings.
const FIELDS: [&str; 12] = [
    "rtx",
    "ooo",
    "dup_ack",
    "zero_window",
    "window_full",
    "keep_alive",
    "reset",
    "unseen",
    "rtt_us",
    "handshake_us",
    "dns_rcode",
    "dns_time_us",
];

/// Files of the corpus for each field.
const MAX_FILES: usize = 2;

/// For each finding, as a filter, the numbers of the packets in which the sniffer has found it.
type Findings = BTreeMap<String, Vec<u64>>;

/// The lines of a capture file.
fn lines(file: &Path, args: &[&str]) -> Vec<u8> {
    let output = run(&[&["-q", "-r", file.to_str().unwrap()], args].concat());
    output.stdout
}

fn findings(lines: &[u8]) -> Findings {
    let mut findings = Findings::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap();
        for (name, value) in FIELDS.iter().filter_map(|name| Some((name, line.get(name)?))) {
            let filter =
                format!("{name} == {}", value.as_str().map_or(value.to_string(), str::to_owned));
            findings.entry(filter).or_default().push(line["n"].as_u64().unwrap());
        }
    }
    findings
}

/// The numbers of the packets that the page selects with each filter.
fn selected(page: &Page, filters: &[&String]) -> Vec<Vec<u64>> {
    let value = page.eval(&format!(
        "(async () => {{
            const all = [];
            for (const filter of {}) {{
                await viewer.filter(filter);
                const lines = await (await viewer.exportLines()).text();
                all.push(lines.split('\\n').filter(Boolean).map((line) => JSON.parse(line).n));
            }}
            await viewer.clear();
            return all;
        }})()",
        json!(filters)
    ));
    serde_json::from_value(value).unwrap()
}

/// The page selects the packets that the sniffer has marked, and no others.
fn check(page: &Page, expected: &Findings, name: &str) {
    // One filter for each number, up to a limit: round-trip times differ.
    let filters: Vec<_> = expected.keys().take(60).collect();
    let found = selected(page, &filters);
    for (filter, numbers) in filters.iter().zip(&found) {
        assert_eq!(&expected[*filter], numbers, "{name}: {filter}");
    }
    let names: Vec<_> = FIELDS.map(str::to_owned).into();
    for (field, numbers) in names.iter().zip(selected(page, &names.iter().collect::<Vec<_>>())) {
        let with_field =
            expected.iter().filter(|(filter, _)| filter.starts_with(&format!("{field} ")));
        let mut all: Vec<_> = with_field.flat_map(|(_, numbers)| numbers).copied().collect();
        all.sort();
        assert_eq!(all, numbers, "{name}: {field}");
    }
}

/// A connection whose client fills the window of the server.
fn full_window() -> Vec<u8> {
    pcap_of(&[
        segment(true, SYN, 100, 0, b""),
        segment(false, SYN | ACK, 500, 101, b""),
        segment(true, ACK, 101, 501, b""),
        segment(true, ACK, 101, 501, &[b'a'; 1_024]),
    ])
}

#[test]
fn page_marks_the_same_packets_of_captures_as_the_sniffer() {
    let Some(files) = corpus::files().unwrap() else { return };
    let directory = tempdir().unwrap();
    let files = files.into_iter().chain([write(&directory, "full.pcap", full_window())]);
    let files = files.map(|file| (findings(&lines(&file, &["--tcp-analysis", "--names"])), file));
    let all: Vec<_> = files.filter(|(findings, _)| !findings.is_empty()).collect();
    // For each field, the files in which it has the most values.
    let mut files = Vec::new();
    for field in FIELDS {
        let values =
            |findings: &Findings| findings.keys().filter(|key| key.starts_with(field)).count();
        let mut best: Vec<_> = all.iter().filter(|(findings, _)| 0 < values(findings)).collect();
        assert!(!best.is_empty(), "no file with {field}");
        best.sort_by_key(|(findings, _)| std::cmp::Reverse(values(findings)));
        best.truncate(MAX_FILES);
        files.extend(best);
    }
    files.sort_by_key(|(_, file)| file);
    files.dedup();
    let page = Page::open("");
    page.eval("viewer.set('analysis', '1')");
    for (expected, file) in files {
        page.drop_alone(file);
        page.eval("viewer.settled()");
        assert_eq!(page.text("#analysis-text"), "done", "{}", file.display());
        check(&page, expected, &file.display().to_string());
    }
}

/// The module is loaded when the analysis is requested first.
#[test]
fn analysis_runs_on_request() {
    let directory = tempdir().unwrap();
    // As lines, several workers read it.
    let capture = build::target().join("office.pcap");
    let with_findings = lines(&capture, &["--tcp-analysis", "--names"]);
    let expected = findings(&with_findings);
    assert!(expected.contains_key("rtx == timeout") && expected.contains_key("dup_ack == true"));
    assert!(4 << 20 < with_findings.len(), "{} bytes", with_findings.len());
    let page = Page::open("");
    page.drop_file(&write(&directory, "with.ndjson", &with_findings));
    assert_eq!(page.text("#analysis-text"), "");
    check(&page, &expected, "findings of lines");
    page.act("viewer.set('analysis', '1')");
    assert_eq!(page.text("#analysis-text"), "done");
    check(&page, &expected, "findings of lines, with the analysis");
    page.drop_alone(&write(&directory, "with.ndjson.gz", gzip(&with_findings)));
    check(&page, &expected, "compressed lines");
    page.drop_alone(&capture);
    check(&page, &expected, "capture file");
    // Lines do not contain TCP options, without which retransmissions are found, too.
    page.drop_alone(&write(&directory, "without.ndjson", lines(&capture, &[])));
    let rtx = selected(&page, &[&"rtx".to_owned()]).remove(0);
    let all = expected.iter().filter(|(filter, _)| filter.starts_with("rtx"));
    let all: Vec<_> = all.flat_map(|(_, numbers)| numbers).collect();
    let same = rtx.iter().filter(|number| all.contains(number)).count();
    assert!(
        9 * all.len() <= 10 * same && 9 * rtx.len() <= 10 * same,
        "{same} of {} and {}",
        all.len(),
        rtx.len()
    );
}

/// The lines of the packets in a capture file.
fn packet_lines(file: &Path, args: &[&str]) -> Vec<String> {
    let lines = String::from_utf8(lines(file, args)).unwrap();
    let packets = lines.lines().filter(|line| line.contains(r#""type":"pkt""#));
    packets.map(|line| format!("{line}\n")).collect()
}

/// The last line of a capture.
const END: &str = concat!(
    r#"{"type":"end","ts":"2026-03-02T09:10:00.000000000Z","reason":"eof","recv":1,"drop":0,"out":1,"skip":0,"#,
    "\"bytes\":1}\n"
);

const IS_ANALYZED: &str = "document.getElementById('analysis-text').textContent === 'done'";

/// Waits until the page says how many of its packets were analyzed.
fn wait_for_coverage(page: &Page, analyzed: usize, packets: usize) {
    let [analyzed, packets] = [analyzed, packets].map(|count| summary::grouped(count as u64));
    let text = format!("covers the first {analyzed} of {packets} packets");
    let id = "analysis-partial-text";
    page.wait_for(&format!("document.getElementById('{id}').textContent === '{text}'"));
}

/// The results are those of the packets that the page had, and say how many these were.
#[test]
fn followed_captures_are_analyzed() {
    let capture = build::target().join("office.pcap");
    let all = packet_lines(&capture, &["--tcp-analysis", "--names"]);
    let packets = all.len();
    let (start, rest) = all.split_at(packets * 2 / 3);
    let source = Growing::default();
    let page = Page::open_with("?src=capture.ndjson&follow", source.handler());
    // The packets are in several parts.
    page.eval("viewer.set('window', '100k')");
    source.push(&start.concat());
    page.wait_for(&format!("viewer.state().packets === {}", start.len()));
    page.eval("document.getElementById('problems-tab').click()");
    page.eval("document.getElementById('analyze').click()");
    page.wait_for(IS_ANALYZED);
    assert_eq!(page.eval("document.getElementById('analysis-partial').hidden"), true);
    check(&page, &findings(start.concat().as_bytes()), "first packets");
    source.push(&rest.concat());
    page.wait_for(&format!("viewer.state().packets === {packets}"));
    wait_for_coverage(&page, start.len(), packets);
    check(&page, &findings(start.concat().as_bytes()), "first packets, after others came");
    page.eval("document.getElementById('analyze-again').click()");
    page.wait_for(IS_ANALYZED);
    check(&page, &findings(all.concat().as_bytes()), "all packets");
    // Without findings of their own, lines are analyzed like those of a file.
    let plain = packet_lines(&capture, &[]).concat();
    let source = Growing::default();
    source.push(&plain);
    source.push(END);
    source.end();
    let page = Page::open_with("?src=capture.ndjson&follow#analysis=1", source.handler());
    page.wait_for(&format!("viewer.state().packets === {packets} && {IS_ANALYZED}"));
    let filters: Vec<_> = ["rtx", "ooo", "dup_ack", "rtt_us"].map(str::to_owned).into();
    let filters: Vec<_> = filters.iter().collect();
    let followed = selected(&page, &filters);
    let directory = tempdir().unwrap();
    page.drop_alone(&write(&directory, "plain.ndjson", plain));
    page.act("viewer.set('analysis', '1')");
    assert!(followed.iter().all(|numbers| !numbers.is_empty()));
    assert!(followed == selected(&page, &filters), "other packets than in the file");
}

/// Findings and marks go with the packets that are dropped, and stay with the others.
#[test]
fn analysis_follows_the_window() {
    let capture = build::target().join("office.pcap");
    let all = packet_lines(&capture, &["--tcp-analysis", "--names"]);
    let packets = all.len();
    let source = Growing::default();
    let page = Page::open_with("?src=capture.ndjson&follow", source.handler());
    page.eval("viewer.set('window', '1min')");
    page.eval("viewer.set('slow-ms', '60000')");
    // The time of a packet in milliseconds.
    let ms = |index: usize| {
        let line: Value = serde_json::from_str(&all[index]).unwrap();
        line["ts"].as_str().unwrap()[..23].to_owned() + "Z"
    };
    // The number of packets up to one of another millisecond than the one before.
    let end = |count: usize| (count..packets).find(|end| ms(end - 1) != ms(end - 2)).unwrap();
    let check_first = |sent: usize, analyzed: Option<usize>| {
        page.wait_for(&format!("Date.parse('{}') <= viewer.state().latest_ms", ms(sent - 1)));
        let numbers = &selected(&page, &[&"len >= 0".to_owned()])[0];
        let first = usize::try_from(numbers[0]).unwrap() - 1;
        assert_eq!((numbers.len(), *numbers.last().unwrap()), (sent - first, sent as u64));
        if let Some(analyzed) = analyzed {
            wait_for_coverage(&page, analyzed - first, sent - first);
        }
        let expected = all[first..analyzed.unwrap_or(sent)].concat();
        check(&page, &findings(expected.as_bytes()), &format!("{first} to {sent}"));
        first
    };
    let mut sent = 0;
    // In steps, each of which can end a part.
    let mut push = |to: usize| {
        for step in 1..=30 {
            let next = end(sent + (to - sent) * step / 30);
            source.push(&all[sent..next].concat());
            page.wait_for(&format!("Date.parse('{}') <= viewer.state().latest_ms", ms(next - 1)));
            sent = next;
        }
        sent
    };
    push(packets / 4);
    let start = push(packets / 2);
    page.eval("viewer.set('analysis', '1')");
    page.wait_for(IS_ANALYZED);
    let first = check_first(start, None);
    // So few that the analysis is not repeated by itself, but more than a part.
    let next = push(start + (start - first) / 5);
    assert!(first < check_first(next, Some(start)));
    source.push(&all[next..].concat());
    source.push(END);
    source.end();
    page.wait_for("live.textContent.includes('Capture ended')");
    page.wait_for(IS_ANALYZED);
    assert!(first < check_first(packets, None));
    // Lines have findings of their own.
    page.eval("viewer.set('analysis', '0')");
    check_first(packets, None);
}

#[test]
fn problems_are_counted_and_selected() {
    let capture = build::target().join("office.pcap");
    let expected = findings(&lines(&capture, &["--tcp-analysis", "--names"]));
    let count = |filter: &str| expected.get(filter).map_or(0, Vec::len);
    let page = Page::open("");
    page.drop_file(&capture);
    page.act("document.getElementById('problems-tab').click()");
    assert_eq!(page.eval("document.querySelectorAll('#problems-rows tr').length"), 0);
    page.act("document.getElementById('analyze').click()");
    page.wait_for("document.getElementById('analysis-prompt').hidden");
    let packets = |row: usize| {
        let text = page.text(&format!("#problems-rows tr:nth-child({}) td:nth-child(2)", row + 1));
        text.replace(',', "").parse::<usize>().unwrap()
    };
    for (row, filter) in
        ["rtx == timeout", "rtx == fast", "rtx == spurious", "ooo == true"].iter().enumerate()
    {
        assert_eq!(packets(row), count(filter), "{filter}");
    }
    page.act("document.querySelector('#problems-rows button').click()");
    assert_eq!(page.eval("viewer.state().selected"), count("rtx == timeout"));
    assert_eq!(page.text("#chips li button"), "Retransmissions after a time-out");
    page.act("document.querySelectorAll('#problems-rows button')[1].click()");
    assert_eq!(
        page.eval("viewer.state().selected"),
        count("rtx == timeout") + count("rtx == fast")
    );
    // A link restores tab, analysis and selection.
    let link = page.eval("location.href");
    let link = link.as_str().unwrap().replace('#', "?again#");
    page.chromium.navigate(&link).unwrap();
    page.wait_for("window.viewer");
    page.drop_file(&capture);
    page.wait_for("document.getElementById('analysis-prompt').hidden");
    page.eval("viewer.settled()");
    assert_eq!(
        page.eval("viewer.state().selected"),
        count("rtx == timeout") + count("rtx == fast")
    );
}

/// Packets, time of the handshake, retransmissions, resets and zero windows of a connection.
type Signs = (u64, Option<u64>, u64, u64, u64);

/// A connection: its ends in ascending order, and its protocol.
type Connection = ([(String, u64); 2], String);

/// The signs of trouble of each connection, counted in the lines of the sniffer.
fn signs(lines: &[u8]) -> BTreeMap<Connection, Signs> {
    let mut all: BTreeMap<_, Signs> = BTreeMap::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap();
        let end = |address: &str, port: &str| {
            Some((line[address].as_str()?.to_owned(), line[port].as_u64()?))
        };
        let (Some(src), Some(dst)) = (end("src", "sport"), end("dst", "dport")) else { continue };
        let key = ([src.clone().min(dst.clone()), src.max(dst)], line["proto"].to_string());
        let sum = all.entry(key).or_default();
        sum.0 += 1;
        sum.1 = sum.1.or(line["handshake_us"].as_u64());
        sum.2 += u64::from(line.get("rtx").is_some());
        sum.3 += u64::from(line["flags"].as_str().is_some_and(|flags| flags.contains('R')));
        sum.4 += u64::from(line.get("zero_window").is_some());
    }
    all
}

#[test]
fn conversations_count_signs_of_trouble() {
    let capture = build::target().join("office.pcap");
    let expected = signs(&lines(&capture, &["--tcp-analysis"]));
    let page = Page::open("");
    page.drop_file(&capture);
    page.act("viewer.set('conversations', '5-tuples')");
    page.act("viewer.set('tab', 'conversations')");
    let headers = |page: &Page| {
        page.eval(
            "[...document.querySelectorAll('#conversations th:not([hidden])')].map(c => c.dataset.sort)",
        )
    };
    let has = |headers: &Value, name: &str| headers.as_array().unwrap().contains(&json!(name));
    let before = headers(&page);
    assert!(has(&before, "resets") && !has(&before, "rtx") && !has(&before, "handshake-us"));
    page.act("viewer.set('analysis', '1')");
    let after = headers(&page);
    assert!(["handshake-us", "rtx", "resets", "zero-windows"].iter().all(|one| has(&after, one)));
    let csv = page.eval("viewer.csv('conversations')");
    let csv = csv.as_str().unwrap();
    let names: Vec<_> = csv.lines().next().unwrap().split(',').collect();
    let column = |name: &str| names.iter().position(|other| *other == name).unwrap();
    let mut found = BTreeMap::new();
    for row in csv.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>()) {
        let number = |name: &str| row[column(name)].parse::<u64>().ok();
        let end = |a: &str, port: &str| Some((row[column(a)].to_owned(), number(port)?));
        let (Some(a), Some(b)) = (end("a", "port_a"), end("b", "port_b")) else { continue };
        let key = ([a.clone().min(b.clone()), a.max(b)], json!(row[column("proto")]).to_string());
        let [rtx, resets, zero] =
            ["rtx", "resets", "zero_windows"].map(|name| number(name).unwrap());
        let signs = (number("packets").unwrap(), number("handshake_us"), rtx, resets, zero);
        assert_eq!(found.insert(key, signs), None);
    }
    assert_eq!(found, expected);
    let sum = |of: fn(&Signs) -> u64| expected.values().map(of).sum::<u64>();
    assert!(0 < sum(|signs| signs.2) && 0 < sum(|signs| signs.3));
    // A click selects the packets of the cell.
    for (sort, column) in [("-rtx", 9), ("-resets", 10), ("-handshake-us", 8)] {
        page.act(&format!("viewer.set('sort', '{sort}')"));
        let cell = format!("#conversations-rows tr td:nth-child({column})");
        let text = page.text(&cell);
        page.act(&format!("document.querySelector('{cell}').click()"));
        let selected = page.eval("viewer.state().selected").as_u64().unwrap();
        let is_count = column != 8;
        assert_eq!(selected.to_string(), if is_count { text } else { "1".to_owned() }, "{sort}");
        page.act(&format!("document.querySelector('{cell}').click()"));
        assert_eq!(page.eval("document.querySelectorAll('#chips li').length"), 0);
    }
}

/// The values of a field in the lines, by packet number.
fn values<'a>(lines: &'a [Value], name: &'static str) -> impl Iterator<Item = &'a Value> {
    lines.iter().filter(move |line| line.get(name).is_some())
}

#[test]
fn problems_of_connections_and_dns_match_the_lines() {
    let capture = build::target().join("office.pcap");
    let text = lines(&capture, &["--tcp-analysis", "--names"]);
    let all: Vec<Value> = text
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let with = |name: &'static str, value: &str| {
        let value = value.to_owned();
        values(&all, name).filter(move |line| line[name] == value)
    };
    let refused = || with("reset", "refused");
    // Sources to which at least 15 ports refused connections.
    let mut ports: BTreeMap<&str, std::collections::BTreeSet<(&str, u64)>> = BTreeMap::new();
    for line in refused() {
        let port = (line["src"].as_str().unwrap(), line["sport"].as_u64().unwrap());
        ports.entry(line["dst"].as_str().unwrap()).or_default().insert(port);
    }
    ports.retain(|_, ports| 15 <= ports.len());
    assert_eq!(ports.len(), 1, "{ports:?}");
    let is_scan = |line: &&Value| ports.contains_key(line["dst"].as_str().unwrap());
    let scans = refused().filter(is_scan).count();
    let slow = |us: u64| {
        values(&all, "handshake_us")
            .filter(|line| us <= line["handshake_us"].as_u64().unwrap())
            .count()
    };
    let failures = values(&all, "dns_rcode").filter(|line| line["dns_rcode"] != "NOERROR").count();
    let without_data = with("reset", "no_data").count();
    assert!(0 < without_data && 0 < failures && slow(40_000) != slow(200_000), "{without_data}");

    let page = Page::open("");
    page.drop_file(&capture);
    page.act("viewer.set('tab', 'problems')");
    page.act("viewer.set('analysis', '1')");
    page.wait_for("document.getElementById('analysis-prompt').hidden");
    page.eval("viewer.settled()");
    let row = |name: &str| {
        let row = page.eval(&format!(
            "[...document.querySelectorAll('#problems-rows tr')].findIndex((r) => r.cells[0].textContent.startsWith('{name}'))"
        ));
        format!("#problems-rows tr:nth-child({})", row.as_u64().unwrap() + 1)
    };
    let count = |name: &str| page.text(&format!("{} td:nth-child(2)", row(name)));
    let number = |count: usize| summary::grouped(count as u64);
    assert_eq!(count("Refused connections"), number(refused().count()));
    assert_eq!(count("Resets without data"), number(without_data));
    assert_eq!(count("Port scans"), number(scans));
    assert_eq!(count("Slow handshakes (200 ms"), number(slow(200_000)));
    page.act("viewer.set('slow-ms', '40')");
    assert_eq!(count("Slow handshakes (40 ms"), number(slow(40_000)));
    let times: Vec<_> =
        values(&all, "dns_time_us").map(|line| line["dns_time_us"].as_u64().unwrap()).collect();
    let slowest = times.iter().max().unwrap() / 1_000;
    assert!(0 < slowest, "{times:?}");
    for ms in [1, slowest, slowest + 1] {
        page.act(&format!("viewer.set('slow-ms', '{ms}')"));
        let slow = times.iter().filter(|us| ms * 1_000 <= **us).count();
        assert_eq!(count(&format!("Slow DNS answers ({} ms", summary::grouped(ms))), number(slow));
    }
    assert_eq!(count("DNS failures"), number(failures));
    for (name, expected) in [("DNS failures", failures), ("Port scans", scans)] {
        page.act(&format!("document.querySelector('{} button').click()", row(name)));
        page.wait_for(&format!("viewer.state().selected === {expected}"));
        page.eval("viewer.settled()");
        assert_eq!(count(name), number(expected));
        // A link restores the selection.
        let link = page.eval("location.href");
        let link = link.as_str().unwrap().replace('#', "?again#");
        page.chromium.navigate(&link).unwrap();
        page.wait_for("window.viewer");
        page.drop_file(&capture);
        page.wait_for(&format!("viewer.state().selected === {expected}"));
        page.act("viewer.clear()");
    }
}

#[test]
fn charts_mark_packets_with_problems() {
    let capture = build::target().join("office.pcap");
    let text = lines(&capture, &["--tcp-analysis", "--names"]);
    let all: Vec<Value> = text
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    let is_problem = |line: &&Value| {
        let names = ["rtx", "ooo", "dup_ack", "zero_window", "window_full", "unseen"];
        names.iter().any(|name| line.get(name).is_some())
            || ["handshake_us", "dns_time_us"]
                .iter()
                .any(|name| line[*name].as_u64().is_some_and(|us| 40_000 <= us))
            || line["flags"].as_str().is_some_and(|flags| flags.contains('R'))
            || line["dns_rcode"].as_str().is_some_and(|code| code != "NOERROR")
    };
    let count = |min_len: u64| {
        all.iter().filter(is_problem).filter(|line| line["len"].as_u64() >= Some(min_len)).count()
    };
    let page = Page::open("");
    page.drop_file(&capture);
    page.act("viewer.set('analysis', '1')");
    page.act("viewer.set('slow-ms', '40')");
    let sum = |chart: &str| {
        page.act(&format!("viewer.set('chart', '{chart}')"));
        page.eval("viewer.settled()");
        let csv = page.eval(&format!("viewer.csv('{chart}')"));
        let mut lines =
            csv.as_str().unwrap().lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().unwrap();
        let column = header.iter().position(|name| *name == "problem_packets").unwrap();
        lines.map(|cells| cells[column].parse::<usize>().unwrap()).sum::<usize>()
    };
    assert!(0 < count(1_000) && count(1_000) < count(0));
    assert!(
        values(&all, "dns_time_us").any(|line| 40_000 <= line["dns_time_us"].as_u64().unwrap())
    );
    for min_len in [0, 1_000, 0] {
        page.act(&format!("viewer.filter('{}')", if min_len == 0 { "" } else { "len >= 1000" }));
        for chart in ["throughput", "scatter"] {
            assert_eq!(sum(chart), count(min_len), "{chart} from {min_len} bytes");
            let svg = page.eval(&format!("viewer.svg('{chart}')"));
            assert!(svg.as_str().unwrap().contains(">problems</text>"), "{chart}");
        }
    }
}
