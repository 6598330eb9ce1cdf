//! Captures on the loopback interface of a network namespace: what the kernel really does.

use filter::{LinkType, NameTables, Options as FilterOptions, Program, Source};
use nix::sched::{CloneFlags, unshare};
use std::net::UdpSocket;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::open::prepare;
use super::*;
use crate::interfaces::{self, Interface};
use crate::signals;

/// How long the kernel may take to hand over a block.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A ring of four blocks.
const SMALL_RING: Options = Options {
    snaplen: DEFAULT_SNAPLEN,
    is_promiscuous: false,
    direction: DirectionFilter::InOut,
    buffer_kib: 256,
    block_kib: 64,
    is_immediate: true,
    records_gso: false,
};

/// Runs `test` with the loopback interface of a new network namespace. Needs root in a user
/// namespace at least.
fn with_loopback(test: impl FnOnce(&Interface) + Send) {
    std::thread::scope(|scope| {
        let result = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("needs root: run `cargo xtask test`");
            let status = Command::new("ip").args(["link", "set", "lo", "up"]).status();
            assert!(status.expect("needs iproute2").success());
            test(&interfaces::select(&["lo".into()]).unwrap()[0]);
        });
        result.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

/// Sends datagrams to itself. A datagram that was received has passed the capture.
struct Loop(UdpSocket);

impl Loop {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(socket.local_addr().unwrap()).unwrap();
        Self(socket)
    }

    fn send(&self, count: usize) {
        for _ in 0..count {
            self.0.send(&[0; 1_000]).unwrap();
            self.0.recv(&mut [0; 1_000]).unwrap();
        }
    }
}

/// Frames of the next block, and whether the kernel reported losses in it.
fn wait_for_block(reader: &mut Reader) -> (usize, bool) {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let block = reader.read_block(|frames| {
            let has_losses = frames.has_losses();
            let mut accepted = 0;
            while let Some(frame) = frames.next_frame() {
                accepted += usize::from(frame.is_accepted);
            }
            (accepted, has_losses)
        });
        if let Some(block) = block {
            return block;
        }
        let now = Instant::now();
        assert!(now < deadline, "the kernel handed over no block");
        signals::poll_readable(&[std::os::fd::AsFd::as_fd(reader)], deadline - now).unwrap();
    }
}

#[test]
fn losses_are_reported_in_the_first_block_after_a_full_ring() {
    with_loopback(|loopback| {
        let (mut capture, mut reader) = open(loopback, &SMALL_RING, None).unwrap();
        assert!(!reader.is_fallback());
        let sender = Loop::new();
        sender.send(1_000);
        let mut read = 0;
        for block in 0..4 {
            let (count, has_losses) = wait_for_block(&mut reader);
            assert!(!has_losses, "block {block} was full before the first drop");
            read += count;
        }
        sender.send(1);
        assert_eq!(wait_for_block(&mut reader), (1, true));
        let counters = capture.counters().unwrap();
        assert_eq!(counters.drop, 1_000 - read as u64);
        assert!(0 < counters.drop);
        // Reading the counters resets the flag.
        sender.send(1);
        assert_eq!(wait_for_block(&mut reader), (1, false));
    });
}

#[test]
fn reattached_capture_filters_in_user_space_if_the_kernel_refuses() {
    with_loopback(|loopback| {
        // Too long for the kernel, and accepts no datagram of the test.
        let ports: Vec<_> = (1..=3_000).map(|port| format!("src port {port}")).collect();
        let text = format!("tcp and ({})", ports.join(" or "));
        let names = NameTables::default();
        let options = FilterOptions {
            snaplen: DEFAULT_SNAPLEN,
            optimize: false,
            source: Source::Live,
            netmask: None,
            names: &names,
        };
        let program = Arc::new(filter::compile(&text, LinkType(1), &options).unwrap());
        assert!(Program::KERNEL_MAX_LEN < program.instructions().len());
        let (capture, mut reader) = prepare(loopback, &SMALL_RING, Some(program)).unwrap();
        assert!(reader.filter().is_none());
        capture.attach(&mut reader, loopback).unwrap();
        Loop::new().send(1);
        assert_eq!(wait_for_block(&mut reader), (0, false));
    });
}
