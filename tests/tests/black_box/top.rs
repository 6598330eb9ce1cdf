//! `--top`: flows on a terminal.

use nix::sys::signal::Signal;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use tempfile::tempdir;
use tests::files::write;
use tests::frames::{ethernet, ipv4, pcap_of, udp};
use tests::process::run;
use tests::stream::Stream;
use tests::terminal::Terminal;
use xtask::namespace;

/// The sequence that restores the screen.
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// Runs the sniffer on a terminal, and shows the modes of the terminal after it.
fn start(args: &str) -> Terminal {
    let path = xtask::build::sniffer_path();
    Terminal::start(&format!("'{}' {args}; status=$?; stty -a; exit $status", path.display()))
}

/// Whether the screen was restored, and then the modes of the terminal.
fn is_restored(output: &str) -> bool {
    let after = output.rsplit_once(LEAVE).map(|(_, after)| after);
    let has = |after: &str, mode: &str| after.split_whitespace().any(|word| word == mode);
    after.is_some_and(|after| {
        has(after, "icanon") && has(after, "echo") && !after.contains('\u{1b}')
    })
}

/// Two UDP flows: one of two packets, and a long one.
fn two_flows() -> Vec<u8> {
    let packet = |host: u8, len: usize| {
        let mut packet = ipv4(17, &udp(&vec![0; len]));
        packet[15] = host;
        ethernet(&[], 0x800, &packet)
    };
    pcap_of(&[packet(7, 10), packet(8, 1_000), packet(7, 10)])
}

/// The number of the line with this text.
fn line(screen: &str, text: &str) -> Option<usize> {
    screen.lines().position(|line| line.contains(text))
}

#[test]
fn flows_of_a_file_are_sorted_by_keys_until_q() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", two_flows());
    let mut terminal = start(&format!("--top -r '{}'", file.display()));
    let is_before = |screen: &str, first: &str, second: &str| {
        line(screen, first).zip(line(screen, second)).is_some_and(|(a, b)| a < b)
    };
    terminal.wait_for_screen("all packets", |screen| {
        screen.contains("3 packets") && screen.contains("complete")
    });
    terminal.press("b");
    terminal.wait_for_screen("flows by bytes", |screen| {
        screen.contains("*BYTES") && is_before(screen, ".8:", ".7:")
    });
    terminal.press("p");
    terminal.wait_for_screen("flows by packets", |screen| {
        screen.contains("*PACKETS") && is_before(screen, ".7:", ".8:")
    });
    terminal.press("q");
    let (status, output) = terminal.finish();
    assert!(status.success() && is_restored(&output), "{status}: {output:?}");
    assert!(output.contains("sniffer: 3 packets read"), "{output:?}");
    assert!(!output.contains("\"type\""), "no records: {output:?}");
}

#[test]
fn live_capture_lists_flows_and_writes_records() {
    namespace::run(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("out.ndjson");
        let args = format!("--top -i lo --flows -w '{}' -q", file.display());
        let mut terminal = start(&args);
        terminal.wait_for_screen("the list", |screen| screen.contains("lo: 0 packets"));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sent = socket.send_to(&[0; 100], "127.0.0.1:9999").unwrap();
        assert_eq!(sent, 100);
        terminal.wait_for_screen("the flow", |screen| screen.contains("127.0.0.1:9999"));
        terminal.press("q");
        let (status, output) = terminal.finish();
        assert!(status.success() && is_restored(&output), "{status}: {output:?}");
        let stream = Stream::read(&fs::read(&file).unwrap());
        // The packet, and the refusal of the port.
        assert_eq!((stream.packets.len(), stream.reason.as_str()), (2, "signal"));
        Stream::check_flows(&[stream]);
    });
}

#[test]
fn signals_and_the_end_of_a_pipe_restore_the_terminal() {
    let directory = tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for signal in [Some(Signal::SIGTERM), Some(Signal::SIGINT), None] {
        let mut terminal = start(&format!("--top -r '{}'", pipe.display()));
        let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
        terminal
            .wait_for_screen("the name of the pipe", |screen| screen.contains("pipe: 0 packets"));
        writer.write_all(&two_flows()).unwrap();
        terminal.wait_for_screen("flows while the pipe is open", |screen| screen.contains(".8:"));
        match signal {
            Some(signal) => terminal.signal(signal),
            None => terminal.press("q"),
        }
        let (status, output) = terminal.finish();
        assert!(status.success() && is_restored(&output), "{status}: {output:?}");
    }
}

/// Once the list is closed, errors in files are printed and set the exit status. If no file is a capture, no list is
/// shown.
#[test]
fn errors_and_ends_of_files_are_reported_after_the_list() {
    let directory = tempdir().unwrap();
    let all = two_flows();
    let damaged = write(&directory, "damaged.pcap", &all[..all.len() - 1]);
    let without_packets = write(&directory, "none.pcap", &all[..24]);
    let output = directory.path().join("out.ndjson");
    for (file, shown, message, status, reason) in [
        (&damaged, "2 packets", "incomplete record", 1, "error"),
        (&without_packets, "none.pcap: 0 packets", "0 packets read", 0, "eof"),
    ] {
        let args = format!("--top -r '{}' -w '{}' --force", file.display(), output.display());
        let mut terminal = start(&args);
        terminal.wait_for_screen("the list", |screen| {
            screen.contains(shown) && screen.contains("complete")
        });
        terminal.press("q");
        let (exit, text) = terminal.finish();
        assert_eq!(exit.code(), Some(status), "{text:?}");
        let (_, after) = text.rsplit_once(LEAVE).unwrap();
        assert!(after.contains(message), "{text:?}");
        assert_eq!(Stream::read(&fs::read(&output).unwrap()).reason, reason);
    }
    let empty = write(&directory, "empty.pcap", "");
    let (exit, text) = start(&format!("--top -r '{}'", empty.display())).finish();
    assert!(exit.code() == Some(1) && text.contains("is empty"), "{exit}: {text:?}");
}

#[test]
fn terminal_is_required() {
    for (args, reason) in [
        (&["--top"][..], "--top requires a terminal"),
        (&["--top", "-w", "-"], "--top uses the terminal"),
        (&["--top", "--count"], "cannot be used with"),
    ] {
        let output = run(&[args, &["-r", Path::new("none.pcap").to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", output.stderr);
        assert!(output.stderr.contains(reason), "{}", output.stderr);
    }
}
