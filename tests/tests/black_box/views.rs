//! The views of the page: their numbers against a plain computation over the same packets, and what
//! a selection does to all of them.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::tempdir;
use tests::browser::Page;
use tests::process::run;
use xtask::corpus;

/// What is computed of a packet here.
#[derive(Clone, Debug)]
struct Plain {
    ts_ns: i64,
    len: u64,
    proto: String,
    src: String,
    dst: String,
    dport: Option<u64>,
    line: String,
}

/// The packets of the sniffer's lines, read with nothing of the product.
fn plain(lines: &str) -> Vec<Plain> {
    let mut packets = Vec::new();
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        if value["type"] != "pkt" {
            continue;
        }
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        packets.push(Plain {
            ts_ns: nanoseconds(value["ts"].as_str().unwrap()),
            len: value["len"].as_u64().unwrap(),
            proto: text("proto"),
            src: text("src"),
            dst: text("dst"),
            dport: value["dport"].as_u64(),
            line: line.to_owned(),
        });
    }
    packets
}

/// Nanoseconds since 1970 of `2026-11-24T12:00:00.123456789Z`, by counting days.
fn nanoseconds(text: &str) -> i64 {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut days: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum();
    let months = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += months[..usize::try_from(month - 1).unwrap()].iter().sum::<i64>() + day - 1;
    let seconds = days * 86_400 + number(11, 13) * 3_600 + number(14, 16) * 60 + number(17, 19);
    seconds * 1_000_000_000 + number(20, 29)
}

/// A table that the page gives: rows by the names of their columns.
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

/// Packets and bytes.
fn tally<'a>(packets: impl Iterator<Item = &'a Plain>) -> (u64, u64) {
    packets.fold((0, 0), |(count, bytes), packet| (count + 1, bytes + packet.len))
}

/// Each view's numbers are those of the packets, all and selected.
fn check(page: &Page, packets: &[Plain], is_selected: impl Fn(usize) -> bool, has_selection: bool) {
    let all: Vec<_> = packets.iter().enumerate().collect();
    let both = |row: &BTreeMap<String, String>,
                is_in: &dyn Fn(usize, &Plain) -> bool,
                what: &str| {
        let inside = all.iter().filter(|(index, packet)| is_in(*index, packet));
        let whole = tally(inside.clone().map(|(_, packet)| *packet));
        assert_eq!((number(row, "packets"), number(row, "bytes")), whole, "{what}: {row:?}");
        if has_selection {
            let selected = tally(inside.filter(|(index, _)| is_selected(*index)).map(|(_, p)| *p));
            let seen = (number(row, "selected_packets"), number(row, "selected_bytes"));
            assert_eq!(seen, selected, "{what} selected: {row:?}");
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
        let (from, below) = (ns("from"), ns("below"));
        sum += both(&row, &|_, packet| from <= packet.ts_ns && packet.ts_ns < below, "throughput");
    }
    assert_eq!(sum, packets.len() as u64);
    let rows = table(page, "sizes");
    for (index, row) in rows.iter().enumerate() {
        let [from, below] = ["from", "below"].map(|key| row[key].parse::<f64>().unwrap());
        let is_last = index + 1 == rows.len();
        let is_in = |_, packet: &Plain| {
            let len = packet.len as f64;
            from <= len && (len < below || is_last && len == below)
        };
        both(row, &is_in, "sizes");
    }
    let gap = |index: usize| {
        index.checked_sub(1).map(|before| packets[index].ts_ns - packets[before].ts_ns)
    };
    let mut sum = 0;
    for row in table(page, "gaps") {
        let [from, below] = ["from", "below"].map(|key| row[key].parse::<i64>().unwrap());
        let is_in = |index, _: &Plain| gap(index).is_some_and(|gap| from <= gap && gap < below);
        sum += both(&row, &is_in, "gaps");
    }
    assert_eq!(sum + 1, packets.len() as u64);
    for row in table(page, "ports") {
        let port: u64 = row["port"].split(' ').next().unwrap().parse().unwrap();
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
    let mut conversations = BTreeMap::<(String, String, String), (u64, u64, i64, i64)>::new();
    let chosen = packets.iter().enumerate().filter(|(index, _)| is_selected(*index));
    for (_, packet) in chosen {
        let (mut a, mut b) = (packet.src.clone(), packet.dst.clone());
        if b < a {
            std::mem::swap(&mut a, &mut b);
        }
        let ts = packet.ts_ns;
        let known = conversations.entry((a, b, packet.proto.clone())).or_insert((0, 0, ts, ts));
        *known = (known.0 + 1, known.1 + packet.len, known.2.min(ts), known.3.max(ts));
    }
    let rows = table(page, "conversations");
    assert_eq!(rows.len(), conversations.len());
    for row in rows {
        let side = |key: &str| if row[key] == "–" { String::new() } else { row[key].clone() };
        let (mut a, mut b) = (side("a"), side("b"));
        if b < a {
            std::mem::swap(&mut a, &mut b);
        }
        let (count, bytes, first, last) = conversations[&(a, b, row["proto"].clone())];
        assert_eq!((number(&row, "packets"), number(&row, "bytes")), (count, bytes), "{row:?}");
        assert_eq!(number(&row, "duration"), last.abs_diff(first), "{row:?}");
        assert_eq!(number(&row, "packets_forth") + number(&row, "packets_back"), count);
    }
}

/// Opens a capture in the page, whose packets are those, and checks all views with and without a
/// selection.
fn check_capture(page: &Page, capture: &Path, packets: &[Plain]) {
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
fn the_views_of_real_captures_tell_the_truth() {
    let Some(mut files) = corpus::files().unwrap() else { return };
    // The three largest that are not too large to be gone through packet by packet.
    files.retain(|file| fs::metadata(file).unwrap().len() < 2_000_000);
    files.sort_by_key(|file| std::cmp::Reverse(fs::metadata(file).unwrap().len()));
    let page = Page::open("");
    let mut checked = 0;
    for file in files {
        let output = run(&["-r", file.to_str().unwrap(), "-w", "-"]);
        let packets = plain(&String::from_utf8_lossy(&output.stdout));
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

/// Lines of many sizes, gaps, hosts, ports and protocols, a little out of order.
fn generated(count: u64) -> String {
    let mut text = String::new();
    let mut random = 1u64;
    let mut ns = 0;
    for n in 1..=count {
        // Marsaglia's xorshift: any numbers will do.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        ns += random % 5_000;
        let shown = if n % 1_000 == 0 { ns - 3_000 } else { ns };
        let (second, fraction) = (shown / 1_000_000_000, shown % 1_000_000_000);
        let (len, host, port) = (60 + random % 1_455, random % 60, random % 300);
        let proto = ["tcp", "tcp", "udp", "icmp"][(random % 4) as usize];
        let ports = match proto {
            "icmp" => String::new(),
            _ => format!("\"sport\":{},\"dport\":{port},", 1_024 + port),
        };
        writeln!(
            text,
            "{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"2026-11-24T12:00:{second:02}.{fraction:09}Z\",\"len\":{len},\"src\":\"10.0.0.{host}\",\"dst\":\"10.0.1.{}\",{ports}\"proto\":\"{proto}\"}}",
            random % 7,
        )
        .unwrap();
    }
    text
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_views_of_a_million_lines_tell_the_truth() {
    let directory = tempdir().unwrap();
    let text = generated(1_000_000);
    let page = Page::open("");
    // The plain computation looks at each packet for each row: fewer rows are enough here.
    let file = write(directory.path(), "million.ndjson", &text);
    page.drop_file(&file);
    assert_eq!(page.eval("viewer.state().packets"), 1_000_000);
    page.act("viewer.set('bins', '20')");
    page.act("viewer.set('zone', 'start')");
    page.act("viewer.set('interval', '60000000000')");
    page.act("viewer.filter('len > 700 and proto == tcp and dport in {0..99}')");
    let packets = plain(&text);
    let is_selected = |index: usize| {
        let packet = &packets[index];
        700 < packet.len && packet.proto == "tcp" && packet.dport.is_some_and(|port| port < 100)
    };
    check(&page, &packets, is_selected, true);
}

/// What is exported.
fn exported(page: &Page) -> String {
    let text = page.eval("viewer.exportLines().then((blob) => blob.text())");
    text.as_str().unwrap().to_owned()
}

#[test]
fn selections_are_made_undone_exported_and_shared() {
    let directory = tempdir().unwrap();
    let text = generated(20_000);
    let packets = plain(&text);
    let file = write(directory.path(), "some.ndjson", &text);
    let page = Page::open("");
    page.drop_file(&file);
    // A brush over the sizes with the mouse.
    let place = page.eval(concat!(
        "(() => { const c = document.getElementById('sizes'); c.scrollIntoView({block: 'center'});",
        "const r = c.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()"
    ));
    let [left, top, width, height] =
        [0, 1, 2, 3].map(|index: usize| place[index].as_f64().unwrap());
    let at = |share: f64| (left + 76.0 + share * (width - 94.0), top + height / 2.0);
    page.mouse(xtask::browser::Mouse::Press, at(0.21));
    page.mouse(xtask::browser::Mouse::Move, at(0.3));
    page.mouse(xtask::browser::Mouse::Move, at(0.39));
    page.mouse(xtask::browser::Mouse::Release, at(0.39));
    page.eval("viewer.settled()");
    let chip = page.words("#chips li");
    let range = chip.strip_prefix("len in ").unwrap().strip_suffix(" ×").unwrap();
    let (first, last) = range.split_once("..").unwrap();
    let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
    let is_brushed = |packet: &Plain| first <= packet.len && packet.len <= last;
    let brushed = packets.iter().filter(|packet| is_brushed(packet)).count();
    assert_eq!(page.eval("viewer.state().selected"), brushed);
    // A bar, a filter, and back again.
    page.act("viewer.select('protocol', 'proto == udp')");
    page.act("viewer.filter('dport < 50')");
    let is_in = |packet: &Plain| {
        is_brushed(packet) && packet.proto == "udp" && packet.dport.is_some_and(|port| port < 50)
    };
    let expected: String =
        packets.iter().filter(|p| is_in(p)).map(|p| p.line.clone() + "\n").collect();
    let count = expected.lines().count();
    assert_eq!(page.eval("viewer.state().selected"), count);
    assert_eq!(page.eval("document.querySelectorAll('#chips li').length"), 3);
    // Export, and the export dropped again.
    let lines = exported(&page);
    assert!(lines == expected, "{count} lines, and {} came", lines.lines().count());
    let link = page.eval("location.hash");
    let other = Page::open(link.as_str().unwrap());
    other.drop_file(&file);
    assert_eq!(other.eval("viewer.state().selected"), count);
    assert_eq!(other.eval("location.hash"), link);
    let words = "[...document.querySelectorAll('canvas')].map(c => c.ariaLabel)";
    assert_eq!(other.eval(words), page.eval(words));
    other.eval("viewer.open(new File([new Blob([''])], 'x')).then(() => viewer.clear())");
    other.drop_alone(&write(directory.path(), "export.ndjson", &lines));
    assert_eq!(other.eval("viewer.state().packets"), count);
    for (button, chips) in [("undo", 2), ("undo", 1), ("redo", 2), ("undo", 1), ("undo", 0)] {
        page.eval(&format!("document.getElementById('{button}').click()"));
        page.eval("viewer.settled()");
        assert_eq!(page.eval("document.querySelectorAll('#chips li').length"), chips, "{button}");
    }
    assert_eq!(page.eval("viewer.state().selected"), packets.len());
    // A filter that is wrong says where, and selects nothing else.
    page.act("viewer.filter('len > 100 and portt == 5')");
    let error = page.words("#filter-error");
    assert!(error.contains("\n              ^^^^^\nthere is no field `portt`"), "{error}");
    page.eval("document.getElementById('clear').click()");
    page.eval("viewer.settled()");
    // A chip goes with a click.
    page.act("viewer.select('gap', [0, 1000])");
    page.eval("document.querySelector('#chips button').click()");
    page.eval("viewer.settled()");
    assert_eq!(page.eval("viewer.state().selected"), packets.len());
}

#[test]
fn captures_are_merged_and_any_line_is_shown_again() {
    let directory = tempdir().unwrap();
    let text = generated(3_000);
    let (front, back) = text.split_at(text.match_indices('\n').nth(999).unwrap().0 + 1);
    let files = [("a.ndjson", front), ("b.ndjson", back)];
    let page = Page::open("");
    for (name, text) in files {
        page.drop_file(&write(directory.path(), name, text));
    }
    assert_eq!(page.eval("viewer.state().packets"), 3_000);
    assert!(page.words("#summary").starts_with("a.ndjson and b.ndjson · 3,000 packets"));
    page.act("viewer.filter('file == b.ndjson')");
    assert_eq!(page.eval("viewer.state().selected"), 2_000);
    let cells = "[...document.querySelectorAll('#packets-rows tr:first-child td')].map(cell => cell.textContent)";
    assert_eq!(page.eval(&format!("{cells}[0]")), "1,001");
    page.eval("document.querySelector('#packets-rows button').click()");
    page.wait_for("document.getElementById('detail-line').textContent !== ''");
    assert_eq!(page.words("#detail-line"), back.lines().next().unwrap());
    page.act("viewer.clear()");
    page.wait_for(&format!("{cells}[0] === '1'"));
    // The last rows, with the bar beside the table.
    page.eval("(() => { const bar = document.getElementById('packets-bar'); bar.value = bar.max; bar.dispatchEvent(new Event('input', {bubbles: true})); })()");
    page.wait_for(
        "document.querySelector('#packets-rows tr:last-child td').textContent === '3,000'",
    );
    assert_eq!(exported(&page), text);
}

#[test]
fn a_file_that_is_too_large_is_said_so_before_it_is_loaded() {
    let directory = tempdir().unwrap();
    let text = generated(10_000);
    let file = write(directory.path(), "large.ndjson", &text);
    let page = Page::open("");
    page.eval("viewer.limitMemory(100000)");
    page.chromium.drop_file(&file, (600.0, 400.0)).unwrap();
    page.wait_for("!document.getElementById('choice').hidden");
    assert!(
        page.words("#choice-words").contains("packets need 3"),
        "{}",
        page.words("#choice-words")
    );
    assert_eq!(page.eval("document.getElementById('choice-every').value"), "4");
    page.eval("document.querySelector('[data-do=choose-every]').click()");
    page.wait_for("viewer.state().phase === 'ready'");
    assert_eq!(page.eval("viewer.state().packets"), 2_500);
    page.eval("document.getElementById('close').click()");
    page.chromium.drop_file(&file, (600.0, 400.0)).unwrap();
    page.wait_for("!document.getElementById('choice').hidden");
    let packets = plain(&text);
    let middle = &packets[4_999];
    page.eval(&format!(
        "document.getElementById('choice-to').value = '{}'",
        serde_json::from_str::<Value>(&middle.line).unwrap()["ts"].as_str().unwrap()
    ));
    page.eval("document.querySelector('[data-do=choose-window]').click()");
    page.wait_for("viewer.state().phase === 'ready'");
    let expected = packets.iter().filter(|packet| packet.ts_ns <= middle.ts_ns).count();
    assert_eq!(page.eval("viewer.state().packets"), expected);
}

#[test]
fn times_are_told_by_the_chosen_clock_everywhere() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.drop_file(&write(directory.path(), "a.ndjson", &generated(100)));
    page.act("viewer.set('x', 'time')");
    for (zone, words) in [("utc", "UTC"), ("start", " s"), ("local", "+00:00")] {
        page.act(&format!("viewer.set('zone', '{zone}')"));
        let labels =
            page.eval("['throughput', 'scatter'].map(id => document.getElementById(id).ariaLabel)");
        for label in labels.as_array().unwrap() {
            assert!(label.as_str().unwrap().contains(words), "{zone}: {label}");
        }
        let cell = page.words("#packets-rows td:nth-child(2)");
        assert!(cell.ends_with(words.trim()), "{zone}: {cell}");
    }
}

#[test]
fn fields_with_markup_are_words_everywhere() {
    let directory = tempdir().unwrap();
    let hostile = "<img src=x onerror=document.title=1><script>document.title=2</script>";
    let line = json!({"type": "pkt", "n": 1, "ts": "2026-11-24T12:00:00.000000000Z", "if": hostile, "len": 60, "src": "10.0.0.1", "proto": hostile, "sni": hostile});
    let page = Page::open("");
    page.drop_file(&write(directory.path(), "x.ndjson", &format!("{line}\n")));
    page.act("viewer.filter('proto')");
    page.eval("document.querySelectorAll('[data-do=table]').forEach(button => button.click())");
    page.eval("document.querySelector('#packets-rows button').click()");
    page.wait_for("document.getElementById('detail-line').textContent !== ''");
    page.eval("(() => { const f = document.getElementById('filter'); f.focus(); f.value = 'proto == '; f.dispatchEvent(new Event('input', {bubbles: true})); })()");
    page.wait_for("document.querySelectorAll('#completions button').length === 1");
    assert!(page.words("#detail-line").contains(hostile));
    assert!(page.words("[data-panel=protocols] .twin").contains(hostile));
    assert_eq!(
        page.eval("[document.title, document.querySelectorAll('img, body script').length]"),
        json!(["Packet viewer", 0])
    );
    let svg = page.eval("viewer.svg('protocols')");
    assert!(!svg.as_str().unwrap().contains("<img"), "{svg}");
}

#[test]
fn the_page_works_without_a_network_after_the_first_visit() {
    let page = Page::open("");
    page.eval("navigator.serviceWorker.ready.then(() => true)");
    page.wait_for("navigator.serviceWorker.controller !== null");
    let address = page.eval("location.href");
    let Page { chromium, server } = page;
    drop(server);
    chromium.go(address.as_str().unwrap()).unwrap();
    chromium.wait_for("window.viewer").unwrap();
    let lines = "new File(['{\"ts\":1,\"len\":2}\\n'], 'x')";
    chromium.eval(&format!("viewer.open({lines})")).unwrap();
    assert_eq!(chromium.eval("viewer.state().packets").unwrap(), 1);
}

#[test]
fn a_small_screen_shows_everything_without_scrolling_sideways() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.chromium.resize(360, 740).unwrap();
    let file = write(directory.path(), "a.ndjson", &generated(1_000));
    page.chromium.choose_file("#file", &file).unwrap();
    page.wait_for("viewer.state().phase === 'ready'");
    page.act("viewer.select('size', [100, 900])");
    let widths = page.eval("[document.documentElement.scrollWidth, innerWidth]");
    assert_eq!(widths, json!([360, 360]));
}

/// In both themes, empty and with everything open.
#[test]
fn axe_finds_nothing_that_keeps_people_out() {
    let directory = tempdir().unwrap();
    let file = write(directory.path(), "a.ndjson", &generated(1_000));
    let axe = fs::read_to_string(xtask::python::axe_path()).unwrap();
    let page = Page::open("");
    page.eval(&format!("(() => {{ {axe}; return true; }})()"));
    let violations = "axe.run(document).then(result => result.violations.map(v => [v.id, v.nodes.map(node => node.html)]))";
    for is_dark in [false, true] {
        page.chromium.prefer_dark(is_dark).unwrap();
        page.eval("document.getElementById('close').click()");
        page.wait_for("document.documentElement.dataset.phase === 'empty'");
        assert_eq!(page.eval(violations), json!([]));
        page.drop_file(&file);
        page.act("viewer.select('size', [100, 900])");
        page.act("viewer.filter('len > 5 and lenn')");
        if !is_dark {
            page.eval("document.querySelectorAll('[data-do=table]').forEach(b => b.click())");
        }
        page.eval("document.querySelector('#packets-rows button').click()");
        page.wait_for("document.getElementById('detail-line').textContent !== ''");
        assert_eq!(page.eval(violations), json!([]));
    }
}

/// What a worker held is gone with it, and the page goes on.
#[test]
fn a_worker_that_dies_is_told_of_and_replaced() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let file = write(directory.path(), "a.ndjson", &generated(1_000));
    page.drop_file(&file);
    page.eval("viewer.failWorker()");
    page.wait_for("viewer.state().phase === 'error'");
    assert!(page.words("#error").contains("A part of the viewer has failed"));
    page.drop_alone(&file);
    assert_eq!(page.eval("viewer.state().packets"), 1_000);
}
