//! The frames that pass the mirror port: encodes and collects them.

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, IpHeaders, IpNumber, Ipv4Header, Ipv6Header, PacketBuilder,
    PacketBuilderStep, TcpHeader, VlanId,
};
use std::net::{IpAddr, SocketAddr};

use super::network::{Endpoint, Host};
use crate::random::Random;

/// Shortest Ethernet frame without its checksum; shorter ones are padded.
const MIN_FRAME_LEN: usize = 60;

const FITS: &str = "the frame fits its buffer and the length fields";

/// Microseconds since the start of the scenario.
pub(super) type Micros = u64;

/// All frames so far.
#[derive(Debug)]
pub(super) struct Recording {
    /// In the order they were made, which is not that of their times.
    pub(super) frames: Vec<(Micros, Vec<u8>)>,
    pub(super) random: Random,
}

/// Type, code and the next four bytes of an ICMP or ICMPv6 message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Icmp {
    pub(super) kind: u8,
    pub(super) code: u8,
    pub(super) rest: [u8; 4],
}

impl Recording {
    pub(super) fn new(seed: u64) -> Self {
        Self { frames: Vec::new(), random: Random::new(seed) }
    }

    pub(super) fn udp(&mut self, time: Micros, from: Endpoint, to: Endpoint, payload: &[u8]) {
        let packet = ip(from, to).udp(from.address.port(), to.address.port());
        let mut frame = vec![0; packet.size(payload.len())];
        packet.write_to_slice(&mut frame, payload).expect(FITS);
        self.push(time, frame);
    }

    pub(super) fn tcp(
        &mut self,
        time: Micros,
        (from, to): (Endpoint, Endpoint),
        header: TcpHeader,
        payload: &[u8],
    ) {
        let packet = ip(from, to).tcp_header(header);
        let mut frame = vec![0; packet.size(payload.len())];
        packet.write_to_slice(&mut frame, payload).expect(FITS);
        self.push(time, frame);
    }

    /// ICMP between IPv4 addresses, ICMPv6 between IPv6 addresses.
    pub(super) fn icmp(
        &mut self,
        time: Micros,
        (from, to): (Endpoint, Endpoint),
        Icmp { kind, code, rest }: Icmp,
        payload: &[u8],
    ) {
        let frame = if from.address.is_ipv4() {
            let packet = ip(from, to).icmpv4_raw(kind, code, rest);
            let mut frame = vec![0; packet.size(payload.len())];
            packet.write_to_slice(&mut frame, payload).expect(FITS);
            frame
        } else {
            let packet = ip(from, to).icmpv6_raw(kind, code, rest);
            let mut frame = vec![0; packet.size(payload.len())];
            packet.write_to_slice(&mut frame, payload).expect(FITS);
            frame
        };
        self.push(time, frame);
    }

    /// An ARP request of `asker` for the MAC address of `owner`, and the reply.
    pub(super) fn arp(&mut self, time: Micros, asker: Host, owner: Host) {
        let request = ArpEthIpv4Packet {
            operation: ArpOperation::REQUEST,
            sender_mac: asker.mac,
            sender_ipv4: asker.v4.octets(),
            target_mac: [0; 6],
            target_ipv4: owner.v4.octets(),
        };
        let reply = ArpEthIpv4Packet {
            operation: ArpOperation::REPLY,
            sender_mac: owner.mac,
            sender_ipv4: owner.v4.octets(),
            target_mac: asker.mac,
            target_ipv4: asker.v4.octets(),
        };
        let answer_time = time + self.random.between(150, 600);
        for (time, packet, destination) in
            [(time, request, [0xff; 6]), (answer_time, reply, asker.mac)]
        {
            let packet =
                PacketBuilder::ethernet2(packet.sender_mac, destination).arp(packet.into());
            let mut frame = vec![0; packet.size()];
            packet.write_to_slice(&mut frame).expect(FITS);
            self.push(time, frame);
        }
    }

    fn push(&mut self, time: Micros, mut frame: Vec<u8>) {
        frame.resize(frame.len().max(MIN_FRAME_LEN), 0);
        self.frames.push((time, frame));
    }
}

/// Link and IP headers; the builder fills in protocol, lengths and checksums.
fn ip(from: Endpoint, to: Endpoint) -> PacketBuilderStep<IpHeaders> {
    let ethernet = PacketBuilder::ethernet2(from.host.mac, to.host.mac);
    let headers = ip_headers(from.address, to.address, from.host.ttl);
    match from.host.vlan {
        None => ethernet.ip(headers),
        Some(id) => ethernet.single_vlan(VlanId::try_new(id).expect("a 12-bit id")).ip(headers),
    }
}

fn ip_headers(source: SocketAddr, destination: SocketAddr, ttl: u8) -> IpHeaders {
    match (source.ip(), destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let (source, destination) = (source.octets(), destination.octets());
            let header = Ipv4Header::new(0, ttl, IpNumber::UDP, source, destination);
            IpHeaders::Ipv4(header.expect("an empty payload is not too long"), Default::default())
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let (source, destination) = (source.octets(), destination.octets());
            let header =
                Ipv6Header { hop_limit: ttl, source, destination, ..Ipv6Header::default() };
            IpHeaders::Ipv6(header, Default::default())
        }
        _ => panic!("both ends of a flow have addresses of one family"),
    }
}
