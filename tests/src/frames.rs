//! Builds frames byte by byte, and sends them through a packet socket.

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, bind, send, socket};
use std::os::fd::{AsRawFd, OwnedFd};
use summary::capture_file::PcapFile;

use crate::process::wait_for;

/// Ethernet in a pcap file (<https://www.tcpdump.org/linktypes.html>).
pub const LINKTYPE_ETHERNET: u16 = 1;

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;

/// Source MAC address of all frames here.
pub const SOURCE: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// Destination MAC address of all frames here.
pub const DESTINATION: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// An Ethernet frame with VLAN tags, each a tag protocol identifier and a VLAN identifier.
pub fn ethernet(tags: &[(u16, u16)], ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [DESTINATION, SOURCE].concat();
    for (tpid, id) in tags {
        frame.extend(tpid.to_be_bytes());
        frame.extend(id.to_be_bytes());
    }
    frame.extend(ether_type.to_be_bytes());
    frame.extend(payload);
    frame
}

/// An IPv4 packet from 10.0.0.1 to 10.0.0.2.
///
/// # Panics
///
/// If it is too long.
pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [a, b] = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let header = [0x45, 0, a, b, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    [&header, payload].concat()
}

/// An IPv6 packet from fd00::1 to fd00::2.
///
/// # Panics
///
/// If it is too long.
pub fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let [a, b] = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, a, b, next_header, 64];
    for last in [1, 2] {
        packet.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(payload);
    packet
}

/// A UDP datagram from port 4000 to 53.
///
/// # Panics
///
/// If it is too long.
pub fn udp(payload: &[u8]) -> Vec<u8> {
    let [a, b] = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
    [&[0x0f, 0xa0, 0, 53, a, b, 0, 0], payload].concat()
}

/// A TCP segment from port 4000 to 443: SYN and ACK.
pub fn tcp(payload: &[u8]) -> Vec<u8> {
    let header = [0x0f, 0xa0, 1, 0xbb, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x12, 0x20, 0, 0, 0, 0, 0];
    [&header, payload].concat()
}

/// A pcap file of `count` UDP packets of 60 bytes, one per microsecond, the first 1,000 s after the
/// Unix epoch.
pub fn pcap(count: u32) -> Vec<u8> {
    let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18])));
    let mut file = PcapFile::new(LINKTYPE_ETHERNET);
    for number in 0..u64::from(count) {
        file.push(1_000_000_000_000 + number * 1_000, &frame);
    }
    file.into_bytes()
}

/// A pcap file of Ethernet frames, one per millisecond.
pub fn pcap_of(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = PcapFile::new(LINKTYPE_ETHERNET);
    for (number, frame) in (0u64..).zip(frames) {
        file.push(1_000_000_000_000 + number * 1_000_000, frame);
    }
    file.into_bytes()
}

/// Sends raw frames through an interface.
#[derive(Debug)]
pub struct Sender {
    socket: OwnedFd,
}

/// The address of an interface of this thread's namespace once it is running: the kernel notices some time
/// after the other end of a veth pair came up, and silently discards frames until then.
///
/// # Panics
///
/// If there is no such interface.
pub fn running_interface(interface: &str) -> LinkAddr {
    let addresses = || getifaddrs().unwrap().filter(|address| address.interface_name == interface);
    wait_for("a running interface", || {
        addresses().any(|address| address.flags.contains(InterfaceFlags::IFF_RUNNING))
    });
    addresses().find_map(|address| address.address?.as_link_addr().copied()).unwrap()
}

impl Sender {
    /// Opens an interface of this thread's namespace once it is running.
    ///
    /// # Panics
    ///
    /// If there is no such interface.
    pub fn new(interface: &str) -> Self {
        let address = running_interface(interface);
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None).unwrap();
        bind(socket.as_raw_fd(), &address).unwrap();
        Self { socket }
    }

    /// Sends one frame.
    ///
    /// # Panics
    ///
    /// If the kernel rejects it.
    pub fn send(&self, frame: &[u8]) {
        assert_eq!(send(self.socket.as_raw_fd(), frame, MsgFlags::empty()), Ok(frame.len()));
    }
}
