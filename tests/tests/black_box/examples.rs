//! The Python examples, run on real captures.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::tempdir;
use tests::process::{Capture, Process, finish};
use xtask::{namespace, python};

/// The command of an example. matplotlib keeps its font cache in `cache`.
fn example(name: &str, cache: &Path) -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", python::packages_path()).env("MPLCONFIGDIR", cache);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(python::examples_path().join(name));
    command
}

fn send(count: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for len in 0..count {
        socket.send_to(&vec![0; len % 1_000], socket.local_addr().unwrap()).unwrap();
    }
}

#[test]
fn events_example_prints_packet_rates() {
    namespace::run(|| {
        let directory = tempdir().unwrap();
        let mut command = example("events.py", directory.path());
        command.arg("--sniffer").arg(xtask::build::sniffer_path()).stdout(Stdio::piped());
        let mut child = Process::spawn(&mut command);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || lines.next().unwrap().unwrap();
        // The first report shows that the capture is running.
        assert_eq!(next(), "0 packets/s");
        send(100);
        let mut seen = 0;
        while seen < 100 {
            let line = next();
            let rate = line.strip_suffix(" packets/s").unwrap_or_else(|| panic!("{line}"));
            seen += rate.parse::<u64>().unwrap();
        }
        tests::process::signal(&child, nix::sys::signal::Signal::SIGTERM);
        assert!(lines.any(|line| line.unwrap() == "100 packets, 0 dropped"));
        assert!(finish(child).status.success());
    });
}

#[test]
fn plot_examples_draw_a_capture() {
    let directory = tempdir().unwrap();
    let stream = namespace::run(|| {
        let capture = Capture::start(directory.path(), &["-i", "lo"]);
        send(500);
        capture.stop()
    });
    assert_eq!(stream.packets.len(), 500);
    let draw = |name: &str, out: &str| {
        let mut command = example(name, directory.path());
        let files = [directory.path().join("capture.ndjson"), directory.path().join(out)];
        let output = Process::spawn(command.args(&files).stderr(Stdio::piped()));
        let output = finish(output);
        assert!(output.status.success(), "{}", output.stderr);
        std::fs::read(&files[1]).unwrap()
    };
    let picture = draw("histogram.py", "sizes.png");
    assert!(picture.starts_with(b"\x89PNG") && 5_000 < picture.len());
    let page = String::from_utf8(draw("scatter.py", "sizes.html")).unwrap();
    assert!(page.contains("Packet Number") && page.contains("Packet Size"));
    assert!(!page.contains("<script src=\"http") && !page.contains("src=\"https://cdn"));
    // The page contains the library.
    assert!(1_000_000 < page.len());
}
