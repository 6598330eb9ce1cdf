//! A relay between two hosts in network namespaces of their own, which loses, delays and duplicates
//! segments of TCP and counts what an observer on each side can see.
//!
//! The client's interface leads to `left` in the namespace of the relay, the server's to `right`. Time is
//! counted in steps of the relay, and a seed or the caller makes all decisions, so that they do not depend
//! on the load of the machine.

mod counts;
mod segment;

pub use counts::{Counts, Point};
pub use segment::Segment;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt, socket,
};
use nix::unistd::{Pid, gettid};
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use xtask::namespace;
use xtask::wait::wait_until;

use crate::frames::running_interface;
use crate::process::wait_for;

/// The interfaces of the relay, on the side of the client and of the server.
pub const INTERFACES: [&str; 2] = ["left", "right"];
/// The address of the server.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// Steps that a frame takes through the relay. A step takes at least 5 ms, so that a segment that is sent
/// again has a later timestamp than those that its loss revealed, and comes a round trip after them.
const LATENCY: usize = 5;
/// Steps without a frame after which none can follow: no host has a timer then.
const QUIET_STEPS: usize = 20;
const TIMEOUT: Duration = Duration::from_secs(60);
/// Longer than any frame of an interface with an MTU of 1,500 bytes.
const MAX_FRAME_LEN: usize = 2_048;
/// Enough for all frames that come in one step.
const BUFFER_LEN: usize = 16 << 20;

/// An action of the relay on a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Forwards it.
    Forward,
    /// Loses it.
    Drop,
    /// Forwards it twice.
    Duplicate,
    /// Forwards it after this number of later segments with data of the same direction.
    Hold(usize),
}

/// The actions of the relay, and the counts at its interfaces that follow from them.
#[derive(Debug, Default)]
pub struct Report {
    /// Counts by interface, port of the server, and whether the client has sent the segments.
    pub counts: BTreeMap<(&'static str, u16, bool), Counts>,
    /// Segments that were lost.
    pub lost: usize,
    /// Segments that were forwarded twice.
    pub duplicated: usize,
    /// Segments that were held back.
    pub held: usize,
}

/// Runs a client and a server with a relay between them. `decide` chooses what happens to each segment.
/// `start` runs in the namespace of the relay, before the hosts send.
///
/// # Panics
///
/// If a host panics, or is not done in a minute.
pub fn with_relay<T>(
    client: impl FnOnce() + Send,
    server: impl FnOnce() + Send,
    decide: impl FnMut(&Segment) -> Action + Send,
    start: impl FnOnce() -> T + Send,
    stop: impl FnOnce(T) + Send,
) -> Report {
    namespace::run(|| {
        let relay = gettid();
        let [ready, finished] = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let [is_started, is_stopped] = [AtomicBool::new(false), AtomicBool::new(false)];
        let run_host = |index: usize, work: Box<dyn FnOnce() + Send + '_>| {
            namespace::run(|| {
                pin_to_one_processor();
                add_host(index, relay);
                ready.fetch_add(1, Ordering::SeqCst);
                wait_for("the capture", || is_started.load(Ordering::SeqCst));
                work();
                wait_for("the end of all connections", has_no_connections);
                finished.fetch_add(1, Ordering::SeqCst);
                // The interface ends with the namespace.
                wait_for("the end of the capture", || is_stopped.load(Ordering::SeqCst));
            });
        };
        let run_host = &run_host;
        thread::scope(|scope| {
            let hosts: [Box<dyn FnOnce() + Send>; 2] = [Box::new(client), Box::new(server)];
            for (index, work) in hosts.into_iter().enumerate() {
                scope.spawn(move || run_host(index, work));
            }
            wait_for("the hosts", || ready.load(Ordering::SeqCst) == 2);
            let mut relay = Relay::new(decide);
            let started = start();
            is_started.store(true, Ordering::SeqCst);
            pin_to_one_processor();
            wait_until("all connections through the relay", TIMEOUT, || {
                relay.step();
                let is_quiet = QUIET_STEPS <= relay.idle_steps;
                Ok(is_quiet && finished.load(Ordering::SeqCst) == 2)
            })
            .unwrap();
            stop(started);
            is_stopped.store(true, Ordering::SeqCst);
            relay.report
        })
    })
}

/// Lets the kernel process all frames on one processor, so that all observers see them in one order.
fn pin_to_one_processor() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let first = (0..CpuSet::count()).find(|index| allowed.is_set(*index) == Ok(true)).unwrap();
    let mut set = CpuSet::new();
    set.set(first).unwrap();
    sched_setaffinity(Pid::from_raw(0), &set).unwrap();
}

/// Connects the namespace of this thread to that of the relay.
fn add_host(index: usize, relay: Pid) {
    let peer = INTERFACES[index];
    let hosts =
        [1, 2].map(|number| (format!("10.0.0.{number}"), format!("02:00:00:00:00:0{number}")));
    let ((address, mac), (other_address, other_mac)) = (&hosts[index], &hosts[1 - index]);
    for args in [
        &format!("link add host address {mac} type veth peer name {peer} netns {relay}"),
        // One frame per segment.
        "link set host addrgenmode none gso_max_segs 1 up",
        &format!("address add {address}/24 dev host"),
        &format!("neighbor add {other_address} lladdr {other_mac} dev host nud permanent"),
    ] {
        namespace::ip(args).unwrap();
    }
}

/// Whether no socket of this namespace has anything left to send.
fn has_no_connections() -> bool {
    let sockets = fs::read_to_string("/proc/thread-self/net/tcp").unwrap();
    // TIME_WAIT and LISTEN (include/net/tcp_states.h).
    let is_idle = |state: &str| ["06", "0A"].contains(&state);
    sockets.lines().skip(1).all(|socket| socket.split_whitespace().nth(3).is_some_and(is_idle))
}

/// A frame on its way through the relay.
struct Transit {
    segment: Segment,
    frame: Vec<u8>,
}

/// One direction: frames from one interface to the other.
struct Direction {
    from: &'static str,
    to: &'static str,
    /// Frames, each with the step in which it leaves.
    queue: VecDeque<(usize, Transit)>,
    /// Frames that are held back, each with the number of frames to wait for.
    held: Vec<(usize, Transit)>,
}

impl Direction {
    /// Removes the first frame if it leaves in this step, or should have left before.
    fn next_due(&mut self, step: usize) -> Option<Transit> {
        self.queue.front().filter(|(due, _)| *due <= step)?;
        self.queue.pop_front().map(|(_, transit)| transit)
    }
}

struct Relay<D> {
    sockets: [OwnedFd; 2],
    directions: [Direction; 2],
    decide: D,
    points: BTreeMap<(&'static str, u16, bool), Point>,
    step: usize,
    idle_steps: usize,
    report: Report,
}

impl<D: FnMut(&Segment) -> Action> Relay<D> {
    fn new(decide: D) -> Self {
        let [left, right] = INTERFACES;
        let direction = |from, to| Direction { from, to, queue: VecDeque::new(), held: Vec::new() };
        Self {
            sockets: INTERFACES.map(open),
            directions: [direction(left, right), direction(right, left)],
            decide,
            points: BTreeMap::new(),
            step: 0,
            idle_steps: 0,
            report: Report::default(),
        }
    }

    /// Receives the frames that have come, and sends those that are due.
    fn step(&mut self) {
        self.step += 1;
        self.idle_steps += 1;
        for index in [0, 1] {
            while let Some(frame) = receive(&self.sockets[index]) {
                let from = self.directions[index].from;
                let is_from_client = index == 0;
                let Some(segment) = Segment::of(&frame, is_from_client) else { continue };
                let segment = self.observe(from, &segment, false);
                let due = self.step + LATENCY;
                self.directions[index].queue.push_back((due, Transit { segment, frame }));
                self.idle_steps = 0;
            }
            while let Some(transit) = self.directions[index].next_due(self.step) {
                self.idle_steps = 0;
                self.forward(index, transit);
            }
        }
    }

    /// Counts a segment at an interface. Returns it with what is known about it there.
    fn observe(&mut self, interface: &'static str, segment: &Segment, is_held: bool) -> Segment {
        let key = (interface, segment.port, segment.is_from_client);
        let point = self.points.entry(key).or_default();
        point.add(segment, is_held, self.report.counts.entry(key).or_default())
    }

    fn forward(&mut self, index: usize, transit: Transit) {
        let action = (self.decide)(&transit.segment);
        let has_data = 0 < transit.segment.span;
        match action {
            Action::Forward => self.send(index, &transit, false),
            Action::Drop => self.report.lost += 1,
            Action::Duplicate => {
                self.report.duplicated += 1;
                self.send(index, &transit, false);
                self.send(index, &transit, false);
            }
            Action::Hold(count) => {
                assert!(has_data && 0 < count, "only data is held back");
                self.report.held += 1;
                self.directions[index].held.push((count, transit));
                return;
            }
        }
        if !has_data || action == Action::Drop {
            return;
        }
        let held = &mut self.directions[index].held;
        held.iter_mut().for_each(|(count, _)| *count -= 1);
        let (due, rest) =
            std::mem::take(held).into_iter().partition::<Vec<_>, _>(|(count, _)| *count == 0);
        *held = rest;
        due.iter().for_each(|(_, transit)| self.send(index, transit, true));
    }

    fn send(&mut self, index: usize, transit: &Transit, is_held: bool) {
        let to = self.directions[index].to;
        self.observe(to, &transit.segment, is_held);
        let socket = self.sockets[1 - index].as_raw_fd();
        assert_eq!(send(socket, &transit.frame, MsgFlags::empty()), Ok(transit.frame.len()));
    }
}

/// Opens an interface of this namespace for IPv4 once it is running.
fn open(interface: &str) -> OwnedFd {
    namespace::ip(&format!("link set {interface} addrgenmode none gso_max_segs 1 up")).unwrap();
    let address = running_interface(interface);
    let socket =
        socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_NONBLOCK, SockProtocol::EthIp)
            .unwrap();
    // Only root of the machine may exceed the limit of the system.
    if setsockopt(&socket, RcvBufForce, &BUFFER_LEN).is_err() {
        setsockopt(&socket, RcvBuf, &BUFFER_LEN).unwrap();
    }
    bind(socket.as_raw_fd(), &address).unwrap();
    socket
}

/// A frame that has come, with a complete checksum: the kernel leaves that to the interface.
fn receive(socket: &OwnedFd) -> Option<Vec<u8>> {
    let mut frame = vec![0; MAX_FRAME_LEN];
    let len = match recv(socket.as_raw_fd(), &mut frame, MsgFlags::MSG_TRUNC) {
        Err(Errno::EAGAIN) => return None,
        result => result.unwrap(),
    };
    assert!(len <= MAX_FRAME_LEN, "a frame of {len} bytes");
    frame.truncate(len);
    segment::set_checksum(&mut frame);
    Some(frame)
}
