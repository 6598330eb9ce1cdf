//! Frames byte by byte, and a socket that sends them as they are.

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, bind, send, socket};
use std::os::fd::{AsRawFd, OwnedFd};

use crate::process::wait_for;

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;

/// Addresses of all frames here.
pub const SOURCE: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// See [`SOURCE`].
pub const DESTINATION: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// An Ethernet frame with tags (identifier, id).
pub fn ethernet(tags: &[(u16, u16)], ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [DESTINATION, SOURCE].concat();
    for (identifier, id) in tags {
        frame.extend(identifier.to_be_bytes());
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
/// Where it is too long.
pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [a, b] = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let header = [0x45, 0, a, b, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    [&header, payload].concat()
}

/// An IPv6 packet from fd00::1 to fd00::2.
///
/// # Panics
///
/// Where it is too long.
pub fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let [a, b] = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, a, b, next, 64];
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
/// Where it is too long.
pub fn udp(payload: &[u8]) -> Vec<u8> {
    let [a, b] = u16::try_from(8 + payload.len()).unwrap().to_be_bytes();
    [&[0x0f, 0xa0, 0, 53, a, b, 0, 0], payload].concat()
}

/// A TCP segment from port 4000 to 443: SYN and ACK.
pub fn tcp(payload: &[u8]) -> Vec<u8> {
    let header = [0x0f, 0xa0, 1, 0xbb, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x12, 0x20, 0, 0, 0, 0, 0];
    [&header, payload].concat()
}

/// A pcap file of `count` UDP packets of 60 bytes, one a microsecond from 1,000 s on.
///
/// # Panics
///
/// Never: the frames are short.
pub fn pcap(count: u32) -> Vec<u8> {
    let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18])));
    let len = u32::try_from(frame.len()).unwrap();
    let header = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1u32];
    let mut file: Vec<u8> = header.into_iter().flat_map(u32::to_le_bytes).collect();
    for number in 0..count {
        file.extend([1_000, number, len, len].into_iter().flat_map(u32::to_le_bytes));
        file.extend(&frame);
    }
    file
}

/// Sends frames as they are through an interface.
#[derive(Debug)]
pub struct Sender {
    socket: OwnedFd,
}

impl Sender {
    /// A sender through that interface of this thread's namespace, once it is running: the kernel
    /// learns of the cable's other end some time after that came up, and until then it takes frames
    /// and loses them without a word.
    ///
    /// # Panics
    ///
    /// Where there is no such interface.
    pub fn new(interface: &str) -> Self {
        let addresses =
            || getifaddrs().unwrap().filter(|address| address.interface_name == interface);
        wait_for("a running interface", || {
            addresses().any(|address| address.flags.contains(InterfaceFlags::IFF_RUNNING))
        });
        let address =
            addresses().find_map(|address| address.address?.as_link_addr().copied()).unwrap();
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None).unwrap();
        bind(socket.as_raw_fd(), &address).unwrap();
        Self { socket }
    }

    /// Sends one frame.
    ///
    /// # Panics
    ///
    /// Where the kernel refuses it.
    pub fn send(&self, frame: &[u8]) {
        assert_eq!(send(self.socket.as_raw_fd(), frame, MsgFlags::empty()), Ok(frame.len()));
    }
}
