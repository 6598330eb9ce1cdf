//! Captures to a pipe whose reader stops reading, reads later, or goes away.

use nix::sys::signal::Signal;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use tests::frames::{IPV4, Sender, ethernet, ipv4, pcap, udp};
use tests::process::{Process, finish, signal, sniffer};
use tests::stream::Stream;
use tests::veth::with_veth;

/// A capture that writes more to a pipe than fits, while nobody reads the pipe.
fn spawn_with_unread_pipe() -> Process {
    let mut command = sniffer();
    command.args(["-i", "right", "--stats", "0"]);
    let mut child = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    let sender = Sender::new("left");
    let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[])));
    (0..5_000).for_each(|_| sender.send(&frame));
    child
}

#[test]
fn unread_pipe_does_not_prevent_the_exit() {
    with_veth(|| {
        let mut child = spawn_with_unread_pipe();
        let pipe = child.stdout.take();
        signal(&child, Signal::SIGTERM);
        let output = finish(child);
        drop(pipe);
        assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
        assert!(
            output.stderr.contains("cannot write standard output: nobody read it after the signal"),
            "{}",
            output.stderr
        );
        assert!(
            output.stderr.contains(" in the kernel's buffer could not be read"),
            "{}",
            output.stderr
        );
    });
}

/// Packets are written when the writer of a pipe pauses, whatever the number of threads.
#[test]
fn packets_of_a_slow_pipe_are_written_at_once() {
    for threads in [&[][..], &["--threads", "2"]] {
        let mut command = sniffer();
        command.args(["-r", "-"]).args(threads);
        let mut child = Process::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let file = pcap(3);
        // After the second packet.
        let middle = file.len() - (file.len() - 24) / 3;
        for (part, count) in [(&file[..middle], 3), (&file[middle..], 1)] {
            input.write_all(part).unwrap();
            let seen: Vec<_> = lines.by_ref().take(count).map(Result::unwrap).collect();
            let is_last = seen.last().unwrap().contains("\"type\":\"pkt\"");
            assert!(is_last, "{threads:?}: {seen:?}");
        }
        drop(input);
        assert!(child.wait().unwrap().success(), "{threads:?}");
    }
}

#[test]
fn reader_that_resumes_gets_all_packets() {
    with_veth(|| {
        let child = spawn_with_unread_pipe();
        // The reader is ready when the sniffer continues.
        signal(&child, Signal::SIGSTOP);
        signal(&child, Signal::SIGTERM);
        let output = std::thread::scope(|scope| {
            let pid = child.id();
            let reader = scope.spawn(move || finish(child));
            let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
            nix::sys::signal::kill(pid, Signal::SIGCONT).unwrap();
            reader.join().unwrap()
        });
        assert!(output.status.success(), "{}", output.stderr);
        // `spawn_with_unread_pipe` has read the first byte.
        let stream = Stream::read(&[b"{", &output.stdout[..]].concat());
        assert_eq!((stream.packets.len(), &stream.reason[..]), (5_000, "signal"));
    });
}

#[test]
fn closed_pipe_ends_the_run_without_error() {
    with_veth(|| {
        let mut command = sniffer();
        command.args(["-i", "right"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Process::spawn(&mut command);
        let mut stdout = child.stdout.take().unwrap();
        let mut first = [0; 10];
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        Sender::new("left").send(&ethernet(&[], IPV4, &ipv4(17, &udp(&[]))));
        let output = finish(child);
        assert!(output.status.success());
        let lines: Vec<_> = output.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "{}", output.stderr);
        assert!(lines[0].starts_with("sniffer: capturing on right (ethernet)"));
    });
}
