//! Compares the numbers of the page's charts and tables with a simple reference computation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use tempfile::tempdir;
use tests::corpus;
use tests::files::write;
use tests::page::Page;
use tests::process::run;
use tests::reference::{Packet, generate_lines, parse_ns, read_packets};

/// The CSV of a panel: rows by column name.
fn table(page: &Page, panel: &str) -> Vec<BTreeMap<String, String>> {
    let csv = page.eval(&format!("viewer.csv('{panel}')"));
    let mut lines = csv.as_str().unwrap().lines();
    let head: Vec<_> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    lines
        .map(|line| head.iter().cloned().zip(line.split(',').map(str::to_owned)).collect())
        .collect()
}

fn number(row: &BTreeMap<String, String>, key: &str) -> u64 {
    row[key].parse().unwrap_or_else(|_| panic!("{key}: {row:?}"))
}

/// Counts packets and bytes.
fn tally<'a>(packets: impl Iterator<Item = &'a Packet>) -> (u64, u64) {
    packets.fold((0, 0), |(count, bytes), packet| (count + 1, bytes + packet.len))
}

/// Checks the numbers of all views, for all and for the selected packets.
fn check(
    page: &Page,
    packets: &[Packet],
    is_selected: impl Fn(usize) -> bool,
    has_selection: bool,
) {
    let all: Vec<_> = packets.iter().enumerate().collect();
    let both = |row: &BTreeMap<String, String>,
                is_in: &dyn Fn(usize, &Packet) -> bool,
                panel: &str| {
        let inside = all.iter().filter(|(index, packet)| is_in(*index, packet));
        let whole = tally(inside.clone().map(|(_, packet)| *packet));
        assert_eq!((number(row, "packets"), number(row, "bytes")), whole, "{panel}: {row:?}");
        if has_selection {
            let selected = tally(inside.filter(|(index, _)| is_selected(*index)).map(|(_, p)| *p));
            let seen = (number(row, "selected_packets"), number(row, "selected_bytes"));
            assert_eq!(seen, selected, "{panel} selected: {row:?}");
        }
        whole.0
    };
    let start = packets.iter().map(|packet| packet.ts_ns).min().unwrap();
    let mut sum = 0;
    for row in table(page, "throughput") {
        let ns = |key: &str| {
            let text = &row[key];
            let (sign, text) = text.strip_prefix('-').map_or((1, &text[..]), |rest| (-1, rest));
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            start + sign * format!("{whole}{fraction:0<9}").parse::<i64>().unwrap()
        };
        let (start_ns, end_ns) = (ns("bin_start"), ns("bin_end"));
        sum += both(
            &row,
            &|_, packet| start_ns <= packet.ts_ns && packet.ts_ns < end_ns,
            "throughput",
        );
    }
    assert_eq!(sum, packets.len() as u64);
    let rows = table(page, "sizes");
    for (index, row) in rows.iter().enumerate() {
        let [start, end] = ["bin_start", "bin_end"].map(|key| row[key].parse::<f64>().unwrap());
        let is_last = index + 1 == rows.len();
        let is_in = |_, packet: &Packet| {
            let len = packet.len as f64;
            start <= len && (len < end || is_last && len == end)
        };
        both(row, &is_in, "sizes");
    }
    let gap = |index: usize| {
        index.checked_sub(1).map(|before| packets[index].ts_ns - packets[before].ts_ns)
    };
    let mut sum = 0;
    for row in table(page, "gaps") {
        let [start, end] = ["bin_start", "bin_end"].map(|key| row[key].parse::<i64>().unwrap());
        let is_in = |index, _: &Packet| gap(index).is_some_and(|gap| start <= gap && gap < end);
        sum += both(&row, &is_in, "gaps");
    }
    assert_eq!(sum + 1, packets.len() as u64);
    for row in table(page, "ports") {
        let port: u64 = row["port"].parse().unwrap();
        both(&row, &|_, packet| packet.dport == Some(port), "ports");
    }
    for row in table(page, "sources") {
        both(&row, &|_, packet| packet.src == row["source"], "sources");
    }
    for row in table(page, "destinations") {
        both(&row, &|_, packet| packet.dst == row["destination"], "destinations");
    }
    for row in table(page, "protocols") {
        both(&row, &|_, packet| packet.proto == row["protocol"], "protocols");
    }
    check_conversations(page, packets, &is_selected);
    check_endpoints(page, packets, &is_selected);
    check_scatter(page, packets, &is_selected);
    check_packets(page, packets, &is_selected);
    // The rankings list the top items.
    type Key = fn(&Packet) -> Option<String>;
    let keys: [(&str, Key); 4] = [
        ("ports", |packet| packet.dport.map(|port| port.to_string())),
        ("sources", |packet| Some(packet.src.clone())),
        ("destinations", |packet| Some(packet.dst.clone())),
        ("protocols", |packet| Some(packet.proto.clone())),
    ];
    for (panel, key) in keys {
        let mut counts = BTreeMap::<String, u64>::new();
        let chosen = packets.iter().enumerate().filter(|(index, _)| is_selected(*index));
        for key in chosen.filter_map(|(_, packet)| key(packet)).filter(|key| !key.is_empty()) {
            *counts.entry(key).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
        counts.truncate(100);
        let column = if has_selection { "selected_packets" } else { "packets" };
        let seen: Vec<_> = table(page, panel).iter().map(|row| number(row, column)).collect();
        assert_eq!(seen, counts, "{panel}");
    }
}

/// Checks endpoints, directions, times and rate of each conversation: of address pairs and of 5-tuples.
fn check_conversations(page: &Page, packets: &[Packet], is_selected: &impl Fn(usize) -> bool) {
    /// An address and a port.
    type Side = (String, String);
    #[derive(Default)]
    struct Conversation {
        from: BTreeMap<Side, (u64, u64)>,
        ts_ns: Option<(i64, i64)>,
    }
    for by in ["addresses", "5-tuples"] {
        page.act(&format!("viewer.set('conversations', '{by}')"));
        let mut conversations = BTreeMap::<(Side, Side, String), Conversation>::new();
        let key = |a: &Side, b: &Side, proto: &str| {
            (a.min(b).clone(), a.max(b).clone(), proto.to_owned())
        };
        for (_, packet) in packets.iter().enumerate().filter(|(index, _)| is_selected(*index)) {
            let port = |port: Option<u64>| match port {
                Some(port) if by == "5-tuples" => port.to_string(),
                _ => String::new(),
            };
            let src = (packet.src.clone(), port(packet.sport));
            let dst = (packet.dst.clone(), port(packet.dport));
            let conversation = conversations.entry(key(&src, &dst, &packet.proto)).or_default();
            let side = conversation.from.entry(src).or_default();
            *side = (side.0 + 1, side.1 + packet.len);
            let ts = packet.ts_ns;
            conversation.ts_ns = Some(
                conversation.ts_ns.map_or((ts, ts), |(first, last)| (first.min(ts), last.max(ts))),
            );
        }
        let rows = table(page, "conversations");
        assert_eq!(rows.len(), conversations.len(), "{by}");
        for row in rows {
            let side = |address: &str, port: &str| {
                let is_missing = row[address] == "–";
                let address = if is_missing { String::new() } else { row[address].clone() };
                (address, row[port].clone())
            };
            let (a, b) = (side("a", "port_a"), side("b", "port_b"));
            let conversation = &conversations[&key(&a, &b, &row["proto"])];
            let from = |side: &Side| conversation.from.get(side).copied().unwrap_or_default();
            let a_to_b = from(&a);
            let b_to_a = if a == b { (0, 0) } else { from(&b) };
            let seen = |kind: &str| {
                [format!("packets{kind}"), format!("bytes{kind}")].map(|key| number(&row, &key))
            };
            assert_eq!(seen("_a_to_b"), [a_to_b.0, a_to_b.1], "{row:?}");
            assert_eq!(seen("_b_to_a"), [b_to_a.0, b_to_a.1], "{row:?}");
            assert_eq!(seen(""), [a_to_b.0 + b_to_a.0, a_to_b.1 + b_to_a.1], "{row:?}");
            let (first, last) = conversation.ts_ns.unwrap();
            assert_eq!(utc_ns(&row["start"]), first);
            assert_eq!(number(&row, "duration"), last.abs_diff(first), "{row:?}");
            let rate = (a_to_b.1 + b_to_a.1) as f64 * 8e9 / last.abs_diff(first) as f64;
            match row["rate"].parse::<f64>() {
                Ok(seen) => assert!((seen - rate).abs() <= 0.001 + rate * 1e-12, "{row:?}, {rate}"),
                Err(_) => assert_eq!(first, last, "{row:?}"),
            }
        }
    }
}

/// A time of a table for download, in nanoseconds since the epoch.
fn utc_ns(text: &str) -> i64 {
    let (whole, fraction) = text.trim_end_matches('Z').split_once('.').unwrap_or((text, ""));
    parse_ns(&format!("{}.{fraction:0<9}Z", whole.trim_end_matches('Z')))
}

/// Checks the totals, peers and times of each address.
fn check_endpoints(page: &Page, packets: &[Packet], is_selected: &impl Fn(usize) -> bool) {
    let mut endpoints = BTreeMap::<&str, Vec<&Packet>>::new();
    for (_, packet) in packets.iter().enumerate().filter(|(index, _)| is_selected(*index)) {
        for address in BTreeSet::from([&packet.src[..], &packet.dst[..]]) {
            endpoints.entry(address).or_default().push(packet);
        }
    }
    endpoints.remove("");
    let rows = table(page, "endpoints");
    assert_eq!(rows.len(), endpoints.len());
    for row in rows {
        let address = &row["address"][..];
        let own = &endpoints[address];
        let seen = |kind: &str| {
            [format!("packets{kind}"), format!("bytes{kind}")].map(|key| number(&row, &key))
        };
        let expected = |is_in: &dyn Fn(&Packet) -> bool| {
            let (packets, bytes) = tally(own.iter().copied().filter(|packet| is_in(packet)));
            [packets, bytes]
        };
        assert_eq!(seen(""), expected(&|_| true), "{row:?}");
        assert_eq!(seen("_sent"), expected(&|packet| packet.src == address), "{row:?}");
        assert_eq!(seen("_received"), expected(&|packet| packet.dst == address), "{row:?}");
        let mut peers: BTreeSet<_> = own.iter().flat_map(|p| [&p.src[..], &p.dst[..]]).collect();
        peers.remove(address);
        peers.remove("");
        assert_eq!(number(&row, "peers"), peers.len() as u64, "{row:?}");
        let times = own.iter().map(|packet| packet.ts_ns);
        let times = (times.clone().min(), times.max());
        assert_eq!((Some(utc_ns(&row["first"])), Some(utc_ns(&row["last"]))), times, "{row:?}");
    }
}

/// Checks that the cells of the scatter plot contain exactly the selected packets.
fn check_scatter(page: &Page, packets: &[Packet], is_selected: &impl Fn(usize) -> bool) {
    let rows = table(page, "scatter");
    let edges = |start: &str, end: &str| -> BTreeMap<u64, u64> {
        rows.iter().map(|row| (number(row, start), number(row, end))).collect()
    };
    let (x, y) = (edges("n_start", "n_end"), edges("len_start", "len_end"));
    let cell = |edges: &BTreeMap<u64, u64>, value: u64| {
        let (start, end) = edges.range(..=value).next_back()?;
        (value < *end).then_some(*start)
    };
    let mut expected = BTreeMap::<(u64, u64), (u64, u64)>::new();
    for (_, packet) in packets.iter().enumerate().filter(|(index, _)| is_selected(*index)) {
        let at = (cell(&x, packet.n).unwrap(), cell(&y, packet.len).unwrap());
        let counts = expected.entry(at).or_default();
        *counts = (counts.0 + 1, counts.1 + u64::from(packet.proto == "tcp"));
    }
    let seen: BTreeMap<_, _> = rows
        .iter()
        .map(|row| {
            let tcp = if row.contains_key("tcp") { number(row, "tcp") } else { 0 };
            ((number(row, "n_start"), number(row, "len_start")), (number(row, "packets"), tcp))
        })
        .collect();
    assert_eq!(seen.len(), rows.len());
    assert!(seen == expected, "{} cells, {} expected", seen.len(), expected.len());
}

/// Checks rows at the start, in the middle and at the end of the packet table.
fn check_packets(page: &Page, packets: &[Packet], is_selected: &impl Fn(usize) -> bool) {
    let mut chosen: Vec<_> = (0..packets.len()).filter(|index| is_selected(*index)).collect();
    // In time order; a late packet stays where it was captured.
    let mut latest = i64::MIN;
    let keys = packets.iter().map(|packet| {
        latest = latest.max(packet.ts_ns);
        latest
    });
    let keys: Vec<_> = keys.collect();
    chosen.sort_by_key(|index| keys[*index]);
    let fit = page.eval("Number(document.getElementById('packets').dataset.rows)");
    let fit = usize::try_from(fit.as_u64().unwrap()).unwrap();
    let last = chosen.len().saturating_sub(fit);
    for first in [0, last / 3, last] {
        page.scroll_packets(first as u64);
        let rows = page.eval(concat!(
            "[...document.querySelectorAll('#packets-rows tr')].map(row => ",
            "[...row.cells].map(cell => cell.textContent))"
        ));
        let rows = rows.as_array().unwrap();
        let expected = &chosen[first..chosen.len().min(first + fit)];
        assert_eq!(rows.len(), expected.len());
        for (row, index) in rows.iter().zip(expected) {
            let packet = &packets[*index];
            let whole = |number: u64| {
                let digits = number.to_string();
                let groups: Vec<_> =
                    digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
                groups.join(",")
            };
            let seen = [0, 2, 4, 5, 6, 7].map(|cell: usize| row[cell].as_str().unwrap().to_owned());
            let port = packet.dport.map(|port| port.to_string()).unwrap_or_default();
            let expected = [
                whole(packet.n),
                packet.src.clone(),
                packet.dst.clone(),
                port,
                packet.proto.clone(),
                whole(packet.len),
            ];
            assert_eq!(seen, expected);
        }
    }
}

/// Opens a capture with these packets and checks all views, with and without a selection.
fn check_capture(page: &Page, capture: &Path, packets: &[Packet]) {
    page.drop_alone(&fs::canonicalize(capture).unwrap());
    assert_eq!(page.eval("viewer.state().packets"), packets.len(), "{}", capture.display());
    page.act("viewer.set('zone', 'start')");
    check(page, packets, |_| true, false);
    let mut lens: Vec<_> = packets.iter().map(|packet| packet.len).collect();
    lens.sort_unstable();
    let middle = lens[lens.len() / 2];
    page.act(&format!("viewer.filter('len <= {middle} and not proto == udp')"));
    let is_selected = |index: usize| packets[index].len <= middle && packets[index].proto != "udp";
    let selected = (0..packets.len()).filter(|index| is_selected(*index)).count();
    assert_eq!(page.eval("viewer.state().selected"), selected);
    check(page, packets, is_selected, true);
    page.act("viewer.clear()");
}

#[test]
fn views_of_real_captures_match_reference() {
    let Some(mut files) = corpus::files().unwrap() else { return };
    // The three largest captures that the reference computation handles quickly.
    files.retain(|file| fs::metadata(file).unwrap().len() < 2_000_000);
    files.sort_by_key(|file| std::cmp::Reverse(fs::metadata(file).unwrap().len()));
    let page = Page::open("");
    let mut checked = 0;
    for file in files {
        let output = run(&["-r", file.to_str().unwrap(), "-w", "-"]);
        let packets = read_packets(&String::from_utf8_lossy(&output.stdout));
        if !output.status.success() || packets.len() < 100 {
            continue;
        }
        check_capture(&page, &file, &packets);
        checked += 1;
        if checked == 3 {
            return;
        }
    }
    panic!("only {checked} captures");
}

#[test]
fn views_of_a_million_lines_match_reference() {
    let directory = tempdir().unwrap();
    let text = generate_lines(1_000_000);
    let page = Page::open("");
    // The reference visits each packet for each row: fewer rows keep it fast.
    let file = write(&directory, "million.ndjson", &text);
    page.drop_file(&file);
    assert_eq!(page.eval("viewer.state().packets"), 1_000_000);
    page.act("viewer.set('bins', '20')");
    page.act("viewer.set('zone', 'start')");
    page.act("viewer.set('interval', '60000000000')");
    page.act("viewer.filter('len > 700 and proto == tcp and dport in {0..99}')");
    let packets = read_packets(&text);
    let is_selected = |index: usize| {
        let packet = &packets[index];
        700 < packet.len && packet.proto == "tcp" && packet.dport.is_some_and(|port| port < 100)
    };
    check(&page, &packets, is_selected, true);
}
