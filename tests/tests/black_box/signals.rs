//! Signals end every phase of a run, also if the parent process ignored them, as shells do for
//! background jobs. No test measures time: a phase that does not end fails at a timeout.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, pcap, udp};
use tests::process::{Capture, Process, finish, signal, sniffer, wait_for};
use tests::stream::{Stream, check_line};
use tests::veth::with_veth;
use xtask::namespace;

/// Starts the sniffer with SIGINT and SIGTERM ignored.
fn background_job(args: &[&str]) -> Process {
    let mut command = Command::new("env");
    command.args(["--ignore-signal=INT", "--ignore-signal=TERM"]);
    command.arg(xtask::build::sniffer_path()).args(args);
    Process::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// A signal mask of a process, and the process's name (proc(5)).
fn mask(child: &Child, field: &str) -> (String, u64) {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_start_matches(':').trim().to_owned()
    };
    (value("Name"), u64::from_str_radix(&value(field), 16).unwrap_or(0))
}

fn contains(mask: u64, signal: Signal) -> bool {
    mask >> (signal as u32 - 1) & 1 == 1
}

/// Waits until the sniffer has restored the default actions of SIGINT and SIGTERM, and sleeps.
fn wait_until_blocked(child: &Child) {
    wait_for("a blocked sniffer", || {
        let (name, ignored) = mask(child, "SigIgn");
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
        name == "sniffer" && !contains(ignored, Signal::SIGTERM) && stat.contains(") S ")
    });
}

/// Waits until the run receives signals itself.
fn wait_until_caught(child: &Child) {
    wait_for("a run that receives signals", || contains(mask(child, "SigBlk").1, Signal::SIGINT));
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

const INTERRUPTIONS: [Signal; 2] = [Signal::SIGINT, Signal::SIGTERM];

#[test]
fn signals_end_a_background_capture_cleanly() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let others = [
            Signal::SIGALRM,
            Signal::SIGIO,
            Signal::SIGPROF,
            Signal::SIGPWR,
            Signal::SIGSTKFLT,
            Signal::SIGVTALRM,
            Signal::SIGXCPU,
        ];
        let cases = INTERRUPTIONS.iter().chain(&others).map(|signal| (signal, &[][..]));
        let threads = INTERRUPTIONS.iter().map(|signal| (signal, &["--threads", "2"][..]));
        for (number, (signal, args)) in cases.chain(threads).enumerate() {
            let file = directory.path().join(number.to_string());
            let args = [&["-i", "right", "-w", file.to_str().unwrap()], args].concat();
            let child = background_job(&args);
            let capture = Capture::from_process(child, file);
            capture.wait_until(|text| text.starts_with("{\"type\":\"meta\""));
            Sender::new("left").send(&ethernet(&[], IPV4, &ipv4(17, &udp(&[]))));
            capture.signal(*signal);
            let (output, stream) = capture.wait();
            assert!(output.status.success(), "{signal}: {}", output.stderr);
            assert_eq!((&stream.reason[..], stream.packets.len()), ("signal", 1), "{signal}");
        }
    });
}

#[test]
fn signal_ends_a_capture_waiting_for_its_interface() {
    with_veth(|| {
        for signal in INTERRUPTIONS {
            let directory = tempdir().unwrap();
            let file = directory.path().join("out");
            let args = ["-i", "right", "-w", file.to_str().unwrap()];
            let capture = Capture::from_process(background_job(&args), file);
            capture.wait_until(|text| text.starts_with("{\"type\":\"meta\""));
            namespace::ip("link set right down").unwrap();
            capture.wait_until(|text| text.contains("iface_down"));
            capture.signal(signal);
            let (output, stream) = capture.wait();
            assert!(output.status.success(), "{}", output.stderr);
            assert_eq!(stream.reason, "signal");
            namespace::ip("link set right up").unwrap();
        }
    });
}

/// Before a run has opened everything, signals have their default actions.
#[test]
fn signal_ends_a_blocked_start_at_once() {
    let directory = tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.to_str().unwrap();
    namespace::run(|| {
        for signal in INTERRUPTIONS {
            for args in [
                &["-r", pipe][..],
                &["-d", "-r", pipe],
                &["-F", pipe],
                &["-i", "lo", "-F", "-"],
                &["-i", "lo", "--force", "-w", pipe],
            ] {
                let child = background_job(args);
                wait_until_blocked(&child);
                send(&child, signal);
                // Waiting closes the standard input, which would end `-F -` too.
                let mut child = child;
                let stdin = child.stdin.take();
                let output = finish(child);
                drop(stdin);
                assert_eq!(output.status.signal(), Some(signal as i32), "{args:?}");
            }
        }
    });
}

/// SIGHUP and SIGUSR1 between the start of the program and that of the capture take effect with the
/// first packet. More threads take longer to open.
#[test]
fn early_requests_wait_for_the_capture() {
    with_veth(|| {
        for signal in [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2] {
            let directory = tempdir().unwrap();
            let file = directory.path().join("out");
            let args = ["-i", "right", "--threads", "8", "-w", file.to_str().unwrap()];
            let child = Process::spawn(sniffer().args(args).stderr(Stdio::piped()));
            wait_for("the first action of the sniffer", || {
                let (name, blocked) = mask(&child, "SigBlk");
                name == "sniffer" && contains(blocked, Signal::SIGUSR1)
            });
            send(&child, signal);
            wait_until_caught(&child);
            send(&child, Signal::SIGTERM);
            let output = finish(child);
            assert!(output.status.success(), "{signal}: {}: {}", output.status, output.stderr);
        }
    });
}

/// Name servers that do not answer block for ten seconds.
#[test]
fn signal_ends_a_pending_name_lookup_at_once() {
    let directory = tempdir().unwrap();
    let [resolv, switch, file] =
        ["resolv.conf", "nsswitch.conf", "a.pcap"].map(|name| directory.path().join(name));
    fs::write(&resolv, "nameserver 10.9.9.2\noptions timeout:30\n").unwrap();
    fs::write(&switch, "hosts: dns\n").unwrap();
    fs::write(&file, pcap(1)).unwrap();
    let file = file.to_str().unwrap();
    with_veth(|| {
        // Nobody answers at the other end, but the kernel knows its address.
        namespace::ip("address add 10.9.9.1/24 dev left").unwrap();
        namespace::ip("neighbor add 10.9.9.2 lladdr 02:00:00:00:00:02 dev left").unwrap();
        for source in ["-i right", &format!("-r {file}"), &format!("-d -r {file}")] {
            let script = format!(
                "mount --bind {} /etc/resolv.conf && mount --bind {} /etc/nsswitch.conf && \
                 exec {} {source} host nobody.test",
                resolv.display(),
                switch.display(),
                xtask::build::sniffer_path().display(),
            );
            let mut command = Command::new("unshare");
            command.args(["--mount", "sh", "-c", &script]);
            let child = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
            wait_for("a question to the name server", || {
                // The only UDP socket of the namespace; one C library connects it, the other does not.
                let sockets = fs::read_to_string("/proc/thread-self/net/udp").unwrap();
                sockets.lines().count() == 2
            });
            send(&child, Signal::SIGINT);
            let output = finish(child);
            assert_eq!(output.status.signal(), Some(Signal::SIGINT as i32), "{}", output.stderr);
        }
    });
}

#[test]
fn signal_ends_the_wait_for_standard_input() {
    for signal in INTERRUPTIONS {
        let mut child = background_job(&["-r", "-"]);
        let stdin = child.stdin.take();
        wait_until_caught(&child);
        send(&child, signal);
        let output = finish(child);
        drop(stdin);
        assert!(output.status.success(), "{}", output.stderr);
        let stream = Stream::read(&output.stdout);
        assert_eq!((stream.packets.len(), &stream.reason[..]), (0, "signal"));
    }
}

/// A zstd frame (RFC 8878) of a pcap header and 4 GB of zeros: empty packets. It is shorter than
/// the piece of a file that the sniffer reads at a time.
fn bomb() -> Vec<u8> {
    const BLOCK_LEN: u32 = 128 << 10;
    let block = |len: u32, kind: u32, is_last: bool| {
        let header = len << 3 | kind << 1 | u32::from(is_last);
        header.to_le_bytes()[..3].to_vec()
    };
    let (raw, run) = (0, 1);
    let header = pcap(0);
    // No content size; a window of one block.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x38];
    frame.extend(block(u32::try_from(header.len()).unwrap(), raw, false));
    frame.extend(header);
    for _ in 0..32_000 {
        frame.extend(block(BLOCK_LEN, run, false));
        frame.push(0);
    }
    frame.extend(block(0, raw, true));
    frame
}

/// Without a check while the file is decompressed, these runs would end with the reason `eof`.
#[test]
fn signal_ends_decompression_at_once() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("bomb.zst");
    fs::write(&file, bomb()).unwrap();
    let file = file.to_str().unwrap();
    for signal in INTERRUPTIONS {
        for args in [&["-r", file, "udp"][..], &["-r", file, "--threads", "2"], &["-r", file]] {
            let mut child = background_job(args);
            let mut stdout = child.stdout.take().unwrap();
            wait_until_caught(&child);
            send(&child, signal);
            // On a thread: `finish` limits the time.
            let reader = std::thread::spawn(move || {
                let mut tail = Vec::new();
                let mut piece = vec![0; 1 << 20];
                loop {
                    let len = stdout.read(&mut piece).unwrap();
                    if len == 0 {
                        return tail;
                    }
                    tail.extend_from_slice(&piece[..len]);
                    tail.drain(..tail.len().saturating_sub(1_000));
                }
            });
            let output = finish(child);
            let tail = reader.join().unwrap();
            assert!(output.status.success(), "{args:?}: {}", output.stderr);
            let text = String::from_utf8(tail).unwrap();
            let end = text.lines().last().unwrap();
            assert!(end.contains("\"type\":\"end\"") && end.contains("\"signal\""), "{end}");
        }
    }
}

#[test]
fn named_pipe_without_a_reader_does_not_prevent_the_exit() {
    let directory = tempdir().unwrap();
    let [pipe, file] = ["pipe", "a.pcap"].map(|name| directory.path().join(name));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::write(&file, pcap(1)).unwrap();
    for signal in INTERRUPTIONS {
        let child = background_job(&["-r", file.to_str().unwrap(), "-w", pipe.to_str().unwrap()]);
        wait_until_caught(&child);
        send(&child, signal);
        let output = finish(child);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stderr.contains("stopped by a signal"), "{}", output.stderr);
    }
}

#[test]
fn second_interrupt_ends_a_slow_exit_at_once() {
    with_veth(|| {
        let mut child = background_job(&["-i", "right", "--stats", "0"]);
        let mut stdout = child.stdout.take().unwrap();
        let mut text = vec![0; 1];
        stdout.read_exact(&mut text).unwrap();
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[])));
        (0..5_000).for_each(|_| sender.send(&frame));
        let text = std::thread::scope(|scope| {
            signal(&child, Signal::SIGINT);
            // A slow reader, yet fast enough to stay within the sniffer's timeout.
            let reader = scope.spawn(|| {
                let mut piece = [0; 4096];
                loop {
                    let len = stdout.read(&mut piece).unwrap();
                    text.extend_from_slice(&piece[..len]);
                    if len == 0 {
                        return text;
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            });
            wait_for("the end of the first signal", || {
                !contains(mask(&child, "SigBlk").1, Signal::SIGINT)
            });
            send(&child, Signal::SIGINT);
            assert_eq!(finish(child).status.signal(), Some(Signal::SIGINT as i32));
            reader.join().unwrap()
        });
        let text = String::from_utf8(text).unwrap();
        let (whole, _) = text.rsplit_once('\n').unwrap();
        whole.lines().for_each(check_line);
        assert!(!text.contains("\"end\""), "the run was not over");
    });
}

#[test]
fn counters_are_printed_while_the_output_is_blocked() {
    with_veth(|| {
        let args = ["-i", "right", "--stats", "0"];
        let mut command = sniffer();
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Process::spawn(&mut command);
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 1]).unwrap();
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[])));
        (0..5_000).for_each(|_| sender.send(&frame));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        // On a thread: `wait_for` limits the time.
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut line = String::new();
        wait_for("the answer of a blocked sniffer", || {
            send(&child, Signal::SIGUSR1);
            line = lines.try_iter().last().unwrap_or_default();
            line.ends_with(" packets so far; waiting for the reader of the output")
        });
        assert!(!line.contains(" 0 packets"), "{line}");
        let reader = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        send(&child, Signal::SIGTERM);
        assert!(finish(child).status.success());
        reader.join().unwrap().unwrap();
    });
}

#[test]
fn sigusr2_writes_compressed_lines_at_once() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("out.zst");
    let mut child = Process::spawn(
        sniffer()
            .args(["-r", "-", "-w", file.to_str().unwrap()])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped()),
    );
    let mut stdin = child.stdin.take().unwrap();
    let capture = pcap(3);
    let frame_len = (capture.len() - 24) / 3;
    let (two, third) = capture.split_at(capture.len() - frame_len);
    stdin.write_all(two).unwrap();
    wait_for("the output", || file.exists());
    send(&child, Signal::SIGUSR2);
    // The signal takes effect with the next input.
    stdin.write_all(third).unwrap();
    wait_for("the packets", || packets_in(&file) == 3);
    drop(stdin);
    assert!(finish(child).status.success());
}

/// Packets in the part of a zstd file that can be decompressed.
fn packets_in(file: &Path) -> usize {
    let mut text = Vec::new();
    // The file has no end yet.
    let _ = zstd::Decoder::new(fs::File::open(file).unwrap()).unwrap().read_to_end(&mut text);
    String::from_utf8(text).unwrap().matches("\"pkt\"").count()
}
