//! The page of `--serve` in Chromium.

use super::flows::{ACK, SYN, segment};
use super::serve::{content_range, read_range, send, start, stop};
use nix::sys::signal::Signal;
use summary::grouped;
use tempfile::tempdir;
use tests::browser::Driver;
use tests::chromium::Chromium;
use tests::frames::{Sender, ethernet, ipv4, udp};
use tests::packet_file::PacketFile;
use tests::process::wait_for;
use tests::veth::with_veth;

/// Neither `end` nor `meta` tells the page about the run.
#[test]
fn page_learns_the_end_of_a_run_without_end_record() {
    with_veth(|| {
        let browser = Chromium::start().unwrap();
        for args in [&["--only", "pkt"][..], &["--only", "flow", "--flows"]] {
            let served = start(&[&["-i", "right"], args].concat());
            browser.navigate(&served.url()).unwrap();
            browser.wait_for("window.viewer && live.textContent.includes('Live')").unwrap();
            send(&Sender::new("left"), 100);
            let is_packets = args.len() == 2;
            if is_packets {
                browser.wait_for("viewer.state().packets === 100").unwrap();
            }
            assert!(stop(served).status.success());
            browser.wait_for("live.textContent.startsWith('Capture ended')").unwrap();
            let packets = browser.eval("viewer.state().packets").unwrap();
            assert_eq!(packets, if is_packets { 100 } else { 0 }, "{args:?}");
        }
    });
}

/// The page does not run while packets arrive. It catches up with those in memory, and says how many it
/// missed.
#[test]
fn stopped_page_costs_no_packet() {
    with_veth(|| {
        let tag = format!("text={}", "x".repeat(3_900));
        let served = start(&["-i", "right", "--tag", &tag]);
        let browser = Chromium::start().unwrap();
        browser.navigate(&served.url()).unwrap();
        browser.wait_for("window.viewer && live.dataset.state === 'live'").unwrap();
        let sender = Sender::new("left");
        send(&sender, 1_000);
        browser.wait_for("viewer.state().packets === 1000").unwrap();
        browser.signal_renderers(Signal::SIGSTOP).unwrap();
        send(&sender, 5_000);
        browser.signal_renderers(Signal::SIGCONT).unwrap();
        browser.wait_for("viewer.state().packets === 6000").unwrap();
        assert_eq!(browser.eval("live.textContent.includes('missed')").unwrap(), false);
        // More lines than fit 256 MiB: those after the 25 MB that the page has are dropped.
        browser.signal_renderers(Signal::SIGSTOP).unwrap();
        let mut sent = 6_000;
        wait_for("a gap", || {
            send(&sender, 1_000);
            sent += 1_000;
            // An offset after the first line, which is kept.
            30_000_000 < content_range(&read_range(&served, 10_000)).0
        });
        browser.signal_renderers(Signal::SIGCONT).unwrap();
        let missed = "Number((live.textContent.match(/([0-9,]+) packets missed/)?.[1] ?? '0').replaceAll(',', ''))";
        browser.wait_for(&format!("viewer.state().packets + {missed} === {sent}")).unwrap();
        assert_ne!(browser.eval(missed).unwrap(), 0);
        assert!(stop(served).status.success());
        let ended = format!("Capture ended: {} packets, 0 dropped", grouped(sent));
        browser.wait_for(&format!("live.textContent.includes('{ended}')")).unwrap();
    });
}

#[test]
fn inspector_shows_bytes_that_are_served() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let path = directory.path().join("out.pcapng");
        let served = start(&["-i", "right", "--pcapng", path.to_str().unwrap(), "--ring", "1MiB"]);
        let browser = Chromium::start().unwrap();
        browser.navigate(&served.url()).unwrap();
        browser.wait_for("window.viewer && live.textContent.includes('right')").unwrap();
        send(&Sender::new("left"), 5);
        browser.wait_for("viewer.state().packets === 5").unwrap();
        browser.eval("viewer.set('tab', 'packets')").unwrap();
        browser.click("#packets-rows button").unwrap();
        // The bytes of the payload, in hexadecimal.
        browser
            .wait_for("inspector.textContent.replaceAll(/\\s/g, '').includes('74657874')")
            .unwrap();
        browser
            .wait_for("document.getElementById('detail-line').textContent.includes('10.0.0.2')")
            .unwrap();
        let note = "document.getElementById('detail-note')";
        assert_eq!(browser.eval(&format!("{note}.hidden")).unwrap(), true);
        assert!(stop(served).status.success());
        // The bytes are gone with the run; the line is still there.
        browser.wait_for("live.dataset.state === 'ended'").unwrap();
        browser.eval("document.getElementById('detail-next').click()").unwrap();
        browser
            .wait_for(&format!("{note}.textContent.includes('that file contains them')"))
            .unwrap();
        let inspector = "inspector.textContent";
        browser.wait_for(&format!("{inspector}.includes('10.0.0.2')")).unwrap();
    });
}

#[test]
fn exported_packets_are_those_of_the_pcapng_file() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let path = directory.path().join("out.pcapng");
        let keep = ["--pcapng", path.to_str().unwrap(), "--keep", "less 60"];
        let served = start(&[&["-i", "right", "-s", "90"], &keep[..], &["udp"]].concat());
        let browser = Chromium::start().unwrap();
        browser.navigate(&served.url()).unwrap();
        browser.wait_for("window.viewer && live.textContent.includes('right')").unwrap();
        let sender = Sender::new("left");
        send(&sender, 5);
        let long = ethernet(&[], 0x800, &ipv4(17, &udp(&[b'x'; 100])));
        (0..3).for_each(|_| sender.send(&long));
        browser.wait_for("viewer.state().packets === 8").unwrap();
        let export = |filter: &str| -> PacketFile {
            browser.eval(&format!("viewer.filter('{filter}').then(() => 0)")).unwrap();
            let bytes = "viewer.exportPcapng().then((blob) => blob.arrayBuffer())
                .then((bytes) => [...new Uint8Array(bytes)])";
            let bytes: Vec<u8> = serde_json::from_value(browser.eval(bytes).unwrap()).unwrap();
            PacketFile::read(&bytes)
        };
        let some = export("n in {2, 4, 5}").packets;
        let PacketFile { packets: all, interfaces, .. } = export("");
        let is_shown = "document.getElementById('error').textContent.startsWith('The file contains 5 of 8 packets:')";
        browser.wait_for(is_shown).unwrap();
        browser.eval("viewer.filter('len > 100').then(() => 0)").unwrap();
        let reason = "viewer.exportPcapng().catch((reason) => reason)";
        let none = browser.eval(reason).unwrap();
        assert!(none.as_str().unwrap().contains("the bytes of none of these packets"), "{none}");
        browser.eval("viewer.clear().then(() => 0)").unwrap();
        assert!(stop(served).status.success());
        browser.wait_for("live.textContent.startsWith('Capture ended')").unwrap();
        let over = browser.eval(reason).unwrap();
        assert!(over.as_str().unwrap().starts_with("The capture has ended"), "{over}");
        let file = PacketFile::read(&std::fs::read(path).unwrap());
        let written = file.packets;
        assert_eq!((written.len(), &all), (5, &written));
        let [interface] = &interfaces[..] else { panic!("{interfaces:?}") };
        assert_eq!(interface.filter.as_deref(), Some("(udp) and (less 60)"));
        assert_eq!((interface.snaplen, &interfaces), (90, &file.interfaces));
        let expected: Vec<_> = [1, 3, 4].map(|index| written[index].clone()).into();
        assert_eq!(some, expected);
    });
}

/// A request of 3 bytes, whose packet is not kept, and an answer.
#[test]
fn payload_of_a_connection_is_served() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let path = directory.path().join("out.pcapng");
        let keep =
            ["--pcapng", path.to_str().unwrap(), "--keep", "not (tcp dst port 80 and greater 57)"];
        let served = start(&[&["-i", "right"], &keep[..]].concat());
        let browser = Chromium::start().unwrap();
        browser.navigate(&served.url()).unwrap();
        browser.wait_for("window.viewer && live.textContent.includes('right')").unwrap();
        let sender = Sender::new("left");
        for (is_client, flags, seq, ack, payload) in [
            (true, SYN, 100, 0, &b""[..]),
            (false, SYN | ACK, 500, 101, b""),
            (true, ACK, 101, 501, b"ask"),
            (false, ACK, 501, 104, b"some "),
            (false, ACK, 506, 104, b"text"),
        ] {
            sender.send(&segment(is_client, flags, seq, ack, payload));
        }
        browser.wait_for("viewer.state().packets === 5").unwrap();
        browser.eval("viewer.set('tab', 'packets')").unwrap();
        browser.click("#packets-rows button").unwrap();
        let follow = || {
            browser.wait_for("document.querySelector('#detail-connection:not([hidden])')").unwrap();
            browser.eval("document.getElementById('detail-connection').click()").unwrap();
        };
        let text = |start: &str| {
            let text = "document.getElementById('connection-text').textContent";
            browser.wait_for(&format!("{text}.startsWith('{start}')")).unwrap();
        };
        follow();
        text("The sniffer does not have the bytes of 1 of 5 packets.");
        let blocks = "[...document.querySelectorAll('.stream .block')].map((block) => \
                      [block.className, block.querySelector('pre, .gap').textContent])";
        let server = ["block server", "some text"];
        let client = ["block client", "3 bytes missing: not in the file"];
        assert_eq!(browser.eval(blocks).unwrap(), serde_json::json!([server, client]));
        assert!(stop(served).status.success());
        browser.wait_for("live.textContent.startsWith('Capture ended')").unwrap();
        follow();
        text("The capture has ended, and the sniffer does not serve the bytes");
        let note = "document.querySelector('.stream p')?.textContent ?? ''";
        browser.wait_for(&format!("({note}).startsWith('The payload is not available')")).unwrap();
    });
}

#[test]
fn two_browsers_follow_the_run_to_its_end() {
    with_veth(|| {
        let served = start(&["-i", "right", "udp"]);
        let sender = Sender::new("left");
        let browsers = [(); 2].map(|()| Chromium::start().unwrap());
        for browser in &browsers {
            browser.navigate(&served.url()).unwrap();
            browser.wait_for("window.viewer && live.textContent.includes('right · udp')").unwrap();
        }
        for count in [100, 200] {
            send(&sender, 100);
            for browser in &browsers {
                browser.wait_for(&format!("viewer.state().packets === {count}")).unwrap();
            }
        }
        // The page has everything that it needs without the server.
        for browser in &browsers {
            for module in ["inspector", "formats", "flows"] {
                let loaded = format!(
                    "performance.getEntriesByType('resource').some(({{name}}) => name.includes('/{module}_bg.wasm'))"
                );
                browser.wait_for(&loaded).unwrap();
            }
        }
        send(&sender, 100);
        let output = stop(served);
        assert!(output.status.success());
        for browser in &browsers {
            let ended = "live.textContent.includes('Capture ended: 300 packets, 0 dropped')";
            browser.wait_for(ended).unwrap();
            browser.wait_for("viewer.state().packets === 300").unwrap();
            let text = "document.getElementById('error').textContent";
            assert_eq!(browser.eval(text).unwrap(), "");
            browser.eval("viewer.set('tab', 'packets')").unwrap();
            browser.click("#packets-rows button").unwrap();
            browser.wait_for("inspector.textContent.includes('10.0.0.2')").unwrap();
            // The page offers no sample.
            let samples = "[...document.querySelectorAll('[data-action=open-sample]')]";
            let shown = format!(
                "{samples}.filter(button => getComputedStyle(button).display !== 'none').length"
            );
            assert_eq!(browser.eval(&shown).unwrap(), 0);
            // None is kept for the next run, which has another address.
            let workers = "navigator.serviceWorker.getRegistrations().then(all => all.length)";
            assert_eq!(browser.eval(workers).unwrap(), 0);
        }
    });
}
