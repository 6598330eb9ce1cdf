//! The page follows captures that grow.

use super::page::line;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use summary::grouped;
use tempfile::tempdir;
use tests::browser::Driver;
use tests::chromium::Chromium;
use tests::files::write;
use tests::firefox::Firefox;
use tests::frames::pcap;
use tests::growing::Growing;
use tests::page::{Page, serve_site_with};
use xtask::server::Answer;

const META: &str = "{\"type\":\"meta\",\"v\":1,\"tool\":\"sniffer\",\"version\":\"0.1.0\",\"filter\":\"not port 22\",\"interfaces\":[{\"name\":\"eth7\",\"index\":3,\"linktype\":1}]}\n";
const FOLLOW: &str = "?src=capture.ndjson&follow";

fn lines(numbers: std::ops::Range<u64>) -> String {
    numbers.map(|n| line(n, 60 + n % 1_000, ["tcp", "udp"][(n % 2) as usize])).collect()
}

fn stats(received: u64, dropped: u64) -> String {
    let out = received - dropped;
    format!(
        "{{\"type\":\"stats\",\"if\":\"eth7\",\"recv\":{received},\"drop\":{dropped},\"if_drop\":0,\"out\":{out},\"skip\":0}}\n"
    )
}

fn end(out: u64, dropped: u64) -> String {
    let received = out + dropped;
    format!(
        "{{\"type\":\"end\",\"reason\":\"signal\",\"recv\":{received},\"drop\":{dropped},\"out\":{out},\"skip\":0}}\n"
    )
}

/// Opens the page, which follows the source.
fn follow(source: &Growing) -> Page {
    Page::open_with(FOLLOW, source.handler())
}

/// Waits until this many packets are loaded and drawn.
fn wait_for_packets(driver: &impl Driver, packets: u64) {
    driver.wait_for(&format!("viewer.state().packets === {packets}")).unwrap();
    let drawn = "(await viewer.histogram('size')).counts.reduce((a, b) => a + b, 0)";
    driver.wait_for(&format!("{drawn} === {packets}")).unwrap();
}

fn live(driver: &impl Driver) -> Value {
    driver.eval("[live.dataset.state, live.textContent]").unwrap()
}

fn wait_for_live(driver: &impl Driver, text: &str) {
    driver.wait_for(&format!("live.textContent.includes({text:?})")).unwrap();
}

fn follow_until_the_end(driver: &impl Driver) {
    let source = Growing::default();
    let (_server, url) = serve_site_with(source.handler());
    source.push(META);
    driver.navigate(&(url + FOLLOW)).unwrap();
    driver.wait_for("window.viewer").unwrap();
    wait_for_live(driver, "Live · eth7 · not port 22");
    // More than an answer, and more than a part.
    for (first, next) in [(1, 101), (101, 150_001), (150_001, 150_011)] {
        source.push(&lines(first..next));
        source.push(&stats(next - first, 2));
        wait_for_packets(driver, next - 1);
    }
    assert_eq!(live(driver)[0], "live");
    wait_for_live(driver, "150,010 received");
    assert_eq!(driver.eval("live.querySelector('[data-loss]').textContent").unwrap(), "6 dropped");
    // What is selected and shown is that of all packets.
    driver.eval("viewer.filter('proto == tcp')").unwrap();
    driver.wait_for("viewer.state().selected === 75005").unwrap();
    source.push(&lines(150_011..150_021));
    driver.wait_for("viewer.state().selected === 75010").unwrap();
    source.push(&end(150_020, 6));
    source.end();
    wait_for_live(driver, "Capture ended: 150,020 packets, 6 dropped");
    assert_eq!(live(driver)[0], "ended");
    let exported = driver.eval("viewer.exportLines().then((blob) => blob.text())").unwrap();
    let expected: String = (2..150_021).step_by(2).map(|n| lines(n..n + 1)).collect();
    assert!(exported.as_str() == Some(&expected), "the selected lines");
    let starts = source.requests();
    assert!(starts.windows(2).all(|two| two[0] <= two[1]), "no byte is requested twice");
}

#[test]
fn chromium_follows_a_capture_until_its_end() {
    follow_until_the_end(&Chromium::start().unwrap());
}

#[test]
fn firefox_follows_a_capture_until_its_end() {
    follow_until_the_end(&Firefox::start("").unwrap());
}

#[test]
fn page_goes_on_when_the_network_is_back() {
    let source = Growing::default();
    source.push(META);
    source.push(&lines(1..1_001));
    let page = follow(&source);
    wait_for_packets(&page.chromium, 1_000);
    source.set_reachable(false);
    wait_for_live(&page.chromium, "Connection lost");
    assert_eq!(live(&page.chromium)[0], "lost");
    source.push(&lines(1_001..2_001));
    // Everything can be used meanwhile.
    page.eval("viewer.filter('proto == udp')");
    assert_eq!(page.eval("viewer.state().selected"), 500);
    source.set_reachable(true);
    page.wait_for("viewer.state().selected === 1000");
    page.eval("viewer.clear()");
    wait_for_packets(&page.chromium, 2_000);
    assert_eq!(live(&page.chromium)[0], "live");
    // The server is gone for good, but the run had ended.
    source.push(&end(2_000, 0));
    wait_for_packets(&page.chromium, 2_000);
    source.set_reachable(false);
    wait_for_live(&page.chromium, "Capture ended: 2,000 packets, 0 dropped");
}

#[test]
fn run_without_end_record_ends_where_the_server_says_so() {
    let source = Growing::default();
    source.push(&lines(1..1_001));
    let page = follow(&source);
    wait_for_packets(&page.chromium, 1_000);
    source.push(&lines(1_001..2_001));
    source.end();
    wait_for_live(&page.chromium, "Capture ended");
    assert_eq!(live(&page.chromium)[0], "ended");
    wait_for_packets(&page.chromium, 2_000);
}

#[test]
fn refusals_are_retried_unless_the_capture_is_gone() {
    let source = Growing::default();
    source.push(META);
    source.push(&lines(1..1_001));
    source.refuse(Some("429 Too Many Requests"));
    let page = follow(&source);
    wait_for_live(&page.chromium, "Connection lost (status 429). Retrying…");
    source.refuse(Some("503 Service Unavailable"));
    wait_for_live(&page.chromium, "Connection lost (status 503). Retrying…");
    source.refuse(None);
    wait_for_packets(&page.chromium, 1_000);
    // The sniffer was restarted, and has another URL.
    source.refuse(Some("404 Not Found"));
    wait_for_live(&page.chromium, "No longer followed: the server no longer has this capture.");
    assert_eq!(live(&page.chromium)[0], "stopped");
    assert_eq!(page.eval("viewer.state().packets"), 1_000);
    let requests = source.requests().len();
    page.act("viewer.filter('proto == tcp')");
    page.wait_for("viewer.state().selected === 500");
    assert_eq!(source.requests().len(), requests);
}

/// The run ends while the page is being loaded.
#[test]
fn server_that_stops_too_early_is_explained() {
    let source = Growing::default();
    source.push(META);
    let answer = source.handler();
    let page =
        Page::open_with(FOLLOW, move |request| match request.url.contains("worker_bg.wasm") {
            true => Answer::Disconnect,
            false => answer(request),
        });
    page.wait_for("document.documentElement.dataset.phase === 'error'");
    let error = page.text("#error");
    assert!(error.contains("the capture has ended"), "{error}");
    assert!(!error.contains("worker"), "{error}");
}

#[test]
fn files_on_static_servers_are_followed() {
    let source = Growing::file();
    let text = META.to_owned() + &lines(1..1_001);
    // Each answer ends in the middle of a line.
    let page = follow(&source);
    for start in (0..text.len()).step_by(40_000) {
        source.push(&text[start..text.len().min(start + 40_000)]);
        let complete = source.len() - text[..source.len()].rfind('\n').map_or(0, |end| end + 1);
        let packets = text[..source.len() - complete].lines().count() as u64 - 1;
        wait_for_packets(&page.chromium, packets);
    }
    assert_eq!(page.eval("viewer.state().skipped"), 0);
    source.push(&end(1_000, 0));
    wait_for_live(&page.chromium, "Capture ended: 1,000 packets");
    // A packet of the growing part is read from its lines.
    page.act("viewer.set('tab', 'packets')");
    page.click("#packets-rows button");
    page.wait_for("inspector.textContent.includes('10.0.0.2')");
}

#[test]
fn gaps_and_removed_packets_are_said() {
    let source = Growing::default();
    source.push(META);
    source.push(&lines(1..1_001));
    let page = follow(&source);
    wait_for_packets(&page.chromium, 1_000);
    // The page is paused for so long that the server drops lines.
    page.eval("[...live.querySelectorAll('button')].find((button) => button.textContent === 'Pause').click()");
    page.wait_for("live.dataset.state === 'paused'");
    source.push(&lines(1_001..5_001));
    source.drop_lines();
    source.push(&lines(5_001..6_001));
    page.eval("viewer.settled()");
    assert_eq!(page.eval("viewer.state().packets"), 1_000);
    page.eval("[...live.querySelectorAll('button')].find((button) => button.textContent === 'Resume').click()");
    wait_for_packets(&page.chromium, 2_000);
    wait_for_live(&page.chromium, "4,000 packets missed");
    // Only the latest packets are kept.
    page.eval("viewer.set('window', '100k')");
    source.push(&lines(6_001..300_001));
    page.wait_for(
        "viewer.state().packets > 100000 && live.textContent.includes('older packets removed')",
    );
    source.push(&end(300_000, 0));
    source.end();
    wait_for_live(&page.chromium, "Capture ended: 300,000 packets");
    let packets =
        page.eval("viewer.settled().then(() => viewer.state().packets)").as_u64().unwrap();
    assert!((100_000..130_000).contains(&packets), "{packets}");
    let removed = format!("{} older packets removed", grouped(296_000 - packets));
    wait_for_live(&page.chromium, &removed);
    let drawn =
        page.eval("viewer.histogram('size').then(({counts}) => counts.reduce((a, b) => a + b, 0))");
    assert_eq!(drawn, packets);
    // Those that are kept can be exported.
    let exported = page.eval("viewer.exportLines().then((blob) => blob.text())");
    assert!(exported.as_str() == Some(&lines(300_001 - packets..300_001)), "the kept lines");
}

/// Fields without a column and names are read from appended lines, too.
#[test]
fn filters_and_names_cover_appended_packets() {
    let source = Growing::default();
    let dns = |n: u64| {
        let answer = format!(
            "\"dns\":\"host{n}.example\",\"dns_type\":\"A\",\"dns_answers\":[\"10.0.0.{}\"]}}\n",
            1 + n % 2
        );
        line(n, 90, "udp").replace("}\n", &format!(",{answer}"))
    };
    let tcp = |n: u64| line(n, 60, "tcp").replace("}\n", &format!(",\"seq\":{}}}\n", n % 10));
    let push = |numbers: std::ops::Range<u64>| {
        let lines = numbers.map(|n| if n % 100 < 2 { dns(n) } else { tcp(n) });
        source.push(&lines.collect::<String>());
    };
    source.push(META);
    push(1..10_001);
    let page = follow(&source);
    wait_for_packets(&page.chromium, 10_000);
    page.act("viewer.filter('seq == 7')");
    page.wait_for("viewer.state().selected === 1000");
    page.act("viewer.set('names', '1')");
    page.act("viewer.set('tab', 'endpoints')");
    let names = |n: u64| {
        let labels = "document.getElementById('endpoints').textContent";
        page.wait_for(&format!("{labels}.includes('host{n}.example')"));
    };
    names(9_901);
    for (first, next) in [(10_001, 10_101), (10_101, 30_001), (30_001, 30_101)] {
        push(first..next);
        page.wait_for(&format!("viewer.state().selected === {}", (next - 1) / 10));
        names(next - 100);
    }
    page.act("viewer.filter('seq == 7 and dns_type == A or dns == host30001.example')");
    page.wait_for("viewer.state().selected === 1");
    page.act("viewer.filter('seq == 8')");
    page.wait_for("viewer.state().selected === 3010");
    source.push(&end(30_100, 0));
    source.end();
    wait_for_live(&page.chromium, "Capture ended: 30,100 packets");
    page.wait_for("viewer.state().selected === 3010");
}

#[test]
fn jump_to_now_shows_the_latest_packets() {
    let source = Growing::default();
    source.push(META);
    source.push(&lines(1..2_001));
    let page = follow(&source);
    wait_for_packets(&page.chromium, 2_000);
    page.act("viewer.set('tab', 'packets')");
    page.eval("viewer.zoom('throughput', {x: [1795402380000000000n, 1795402380001000000n]})");
    page.wait_for("location.hash.includes('zoom-ts')");
    source.push(&lines(2_001..3_001));
    wait_for_packets(&page.chromium, 3_000);
    page.wait_for("location.hash.includes('zoom-ts')");
    assert_eq!(page.first_packet_row(), 0);
    page.eval("[...live.querySelectorAll('button')].find((button) => button.textContent === 'Jump to now').click()");
    page.wait_for("!location.hash.includes('zoom-ts')");
    let is_at_end =
        "document.getElementById('packets-range').textContent.includes('–3,000 of 3,000')";
    page.wait_for(is_at_end);
    source.push(&lines(3_001..3_501));
    page.wait_for(&is_at_end.replace("3,000", "3,500"));
}

/// Starts to follow a file that was opened, and that `append` extends.
fn follow_open_file(page: &Page, append: impl Fn(&str)) {
    page.act("viewer.filter('proto == tcp')");
    page.wait_for("viewer.state().packets === 1000 && viewer.state().selected === 500");
    assert_eq!(page.eval("live.hidden"), true);
    let more = lines(1_001..2_001);
    // The line that is cut is complete later.
    append(&more[..more.len() - 9]);
    page.wait_for("viewer.state().packets === 1999 && viewer.state().selected === 999");
    append(&more[more.len() - 9..]);
    page.wait_for("viewer.state().packets === 2000 && viewer.state().selected === 1000");
    assert_eq!(page.eval("viewer.state().skipped"), 0);
    wait_for_live(&page.chromium, "Live · eth7 · not port 22");
    click_live(page, "Pause");
    page.wait_for("live.dataset.state === 'paused'");
    append(&lines(2_001..3_001));
    page.eval("viewer.settled()");
    assert_eq!(page.eval("viewer.state().packets"), 2_000);
    click_live(page, "Resume");
    page.wait_for("viewer.state().packets === 3000");
    append(&end(3_000, 0));
    wait_for_live(&page.chromium, "Capture ended: 3,000 packets, 0 dropped");
    let exported = page.eval("viewer.exportLines().then((blob) => blob.text())");
    let expected: String = (2..3_001).step_by(2).map(|n| lines(n..n + 1)).collect();
    assert!(exported.as_str() == Some(&expected), "the selected lines");
}

fn click_live(page: &Page, button: &str) {
    page.eval(&format!(
        "[...live.querySelectorAll('button')].find((button) => button.textContent === '{button}').click()"
    ));
}

#[test]
fn dropped_file_is_followed_once_it_grows() {
    let directory = tempdir().unwrap();
    let path = write(&directory, "a.ndjson", META.to_owned() + &lines(1..1_001));
    let page = Page::open("");
    page.drop_file(&path);
    follow_open_file(&page, |text| {
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    });
}

#[test]
fn file_of_a_handle_is_followed_once_it_grows() {
    let page = Page::open("");
    let append = |text: &str| {
        let text = serde_json::to_string(text).unwrap();
        page.eval(&format!(
            "(async () => {{
                const root = await navigator.storage.getDirectory();
                window.handle = await root.getFileHandle('a.ndjson', {{ create: true }});
                const stream = await handle.createWritable({{ keepExistingData: true }});
                await stream.seek((await handle.getFile()).size);
                await stream.write({text});
                await stream.close();
            }})()"
        ));
    };
    append(&(META.to_owned() + &lines(1..1_001)));
    page.eval("viewer.open(handle)");
    follow_open_file(&page, append);
}

#[test]
fn growth_of_files_that_are_not_followed_is_reported() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    let capture = write(&directory, "a.pcap", pcap(9));
    page.drop_file(&capture);
    let mut file = OpenOptions::new().append(true).open(&capture).unwrap();
    file.write_all(&[0; 100]).unwrap();
    page.wait_for("document.getElementById('error').textContent.startsWith('“a.pcap” has grown.')");
}

/// A sparse file, which takes little space on the disk: one line has 2 GiB.
#[test]
fn large_file_is_followed_once_it_grows() {
    let directory = tempdir().unwrap();
    let path = write(&directory, "a.ndjson", META.to_owned() + &lines(1..1_001));
    let page = Page::open("");
    page.eval("viewer.limitMemory(64000000)");
    page.drop_alone(&path);
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start((2 << 30) + 5)).unwrap();
    file.write_all(format!("\n{}", lines(1_001..1_011)).as_bytes()).unwrap();
    page.wait_for("viewer.state().packets === 10");
    wait_for_live(&page.chromium, "1,000 older packets removed");
    let exported = page.eval("viewer.exportLines().then((blob) => blob.text())");
    assert_eq!(exported.as_str(), Some(&*lines(1_001..1_011)));
}

#[test]
fn sources_that_cannot_be_followed_are_explained() {
    let page = Page::open_with("", |request| match request.url.ends_with(".pcap") {
        true => Answer::Content("200 OK", String::new(), pcap(9)),
        false => Answer::File,
    });
    for (url, error) in [
        ("missing.ndjson", "“missing.ndjson” could not be loaded (status 404)."),
        ("a.pcap", "“a.pcap” could not be loaded (only NDJSON can be followed)."),
        ("style.css", "“style.css” is not a capture."),
        ("http://localhost:1/a.ndjson", "could not be loaded (it is on another site)."),
    ] {
        page.eval(&format!("viewer.follow('{url}')"));
        page.wait_for(&format!("document.getElementById('error').textContent.includes('{error}')"));
        assert_eq!(
            page.eval("[viewer.state().phase, live.hidden]"),
            serde_json::json!(["error", true])
        );
    }
    page.eval("viewer.openUrl('sample.ndjson')");
    page.wait_for("viewer.state().phase === 'ready'");
}

/// Browsers refuse to write an address that changes too often.
#[test]
fn address_is_not_written_while_a_capture_grows() {
    let source = Growing::default();
    source.push(META);
    source.push(&lines(1..11));
    let page = follow(&source);
    wait_for_packets(&page.chromium, 10);
    page.act("viewer.filter('proto == tcp')");
    page.wait_for("location.hash.includes('filter=proto')");
    page.eval("(window.writes = 0, History.prototype.replaceState = () => writes += 1, 0)");
    for first in (11..211).step_by(10) {
        source.push(&lines(first..first + 10));
        page.wait_for(&format!("viewer.state().selected === {}", first.div_ceil(2) + 4));
    }
    assert_eq!(page.eval("writes"), 0);
    page.act("viewer.filter('proto == udp')");
    page.wait_for("writes === 1");
    source.end();
}
