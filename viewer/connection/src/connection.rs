//! One connection of TCP, or the datagrams between two ports.

use crate::packet::Packet;
use crate::stream::Stream;
use crate::transcript::{Datagram, Transcript};
use flow::{Marks, Segment};
use std::fmt;
use summary::{Address, Tcp};

/// Ports below this one are those of services.
const FIRST_USER_PORT: u16 = 1_024;

/// The largest shift count of windows (RFC 7323, section 2.3).
const MAX_WINDOW_SCALE: u8 = 14;

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    /// `10.0.0.1:80`, `[fe80::1]:80`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Address::V6(_) => write!(formatter, "[{}]:{}", self.address, self.port),
            _ => write!(formatter, "{}:{}", self.address, self.port),
        }
    }
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Side {
    /// The side that has sent the SYN. If it was not captured, the side without a port of a service, or the
    /// one that has sent the first packet.
    Client,
    /// The other side.
    Server,
}

impl Side {
    /// Both sides, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Client, Self::Server];

    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "Client",
            Self::Server => "Server",
        }
    }

    /// The side with which it communicates.
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// A packet of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number in its file.
    pub n: i64,
    /// Time in nanoseconds since the epoch.
    pub ts_ns: i64,
    /// Who has sent it.
    pub side: Side,
    /// The numbers of its segment; `None` for datagrams.
    pub numbers: Option<Numbers>,
    /// The findings of the analysis of TCP.
    pub marks: Marks,
}

/// The numbers of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number, with the ACK flag.
    pub ack: Option<u32>,
    /// Control bits.
    pub flags: u8,
    /// Window before scaling.
    pub win: u16,
    /// Bytes of payload on the wire.
    pub len: u32,
}

impl Numbers {
    /// Whether it has a control bit.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    file: usize,
    ends: [Endpoint; 2],
    is_tcp: bool,
    /// The file contains the bytes of packets.
    has_bytes: bool,
    packets: Vec<Entry>,
    streams: [Stream; 2],
    /// The initial sequence numbers.
    isns: [Option<u32>; 2],
    /// The scale of windows in the SYN of each side; 0 if the SYN has none, `None` if it is not known.
    scales: [Option<u8>; 2],
    datagrams: Vec<Datagram>,
}

impl fmt::Display for Connection {
    /// `10.0.0.1:50000 → 10.0.0.2:80 tcp`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [client, server] = self.ends;
        write!(formatter, "{client} → {server} {}", if self.is_tcp { "tcp" } else { "udp" })
    }
}

impl Connection {
    /// Begins a connection with its first packet, which is then to be added.
    pub(crate) fn new(file: usize, first: &Packet<'_>) -> Self {
        Self {
            file,
            ends: if is_from_client(first) {
                [first.src, first.dst]
            } else {
                [first.dst, first.src]
            },
            is_tcp: first.segment.is_some(),
            has_bytes: false,
            packets: Vec::new(),
            streams: Default::default(),
            isns: [None; 2],
            scales: [None; 2],
            datagrams: Vec::new(),
        }
    }

    /// The index of its file.
    pub fn file(&self) -> usize {
        self.file
    }

    /// Client and server.
    pub fn ends(&self) -> [Endpoint; 2] {
        self.ends
    }

    /// Whether it is a connection of TCP.
    pub fn is_tcp(&self) -> bool {
        self.is_tcp
    }

    /// Whether the file contains the bytes of its packets.
    pub fn has_bytes(&self) -> bool {
        self.has_bytes
    }

    /// Its packets, in the order of the file.
    pub fn packets(&self) -> &[Entry] {
        &self.packets
    }

    /// The initial sequence number of a side, if its SYN was captured.
    pub(crate) fn isn(&self, side: Side) -> Option<u32> {
        self.isns[side as usize]
    }

    /// The bits by which the windows of a side are shifted. `None` if they are not known: both SYNs have to be
    /// captured with their options. Windows are scaled only if both sides have asked for it (RFC 7323, section
    /// 2.2).
    pub fn window_scale(&self, side: Side) -> Option<u8> {
        let [client, server] = self.scales;
        let scales = [client?, server?];
        Some(if scales.contains(&0) { 0 } else { scales[side as usize].min(MAX_WINDOW_SCALE) })
    }

    pub(crate) fn side_of(&self, packet: &Packet<'_>) -> Side {
        if packet.src == self.ends[0] { Side::Client } else { Side::Server }
    }

    /// Whether a segment is a SYN of this connection.
    pub(crate) fn has_isn(&self, side: Side, segment: &Segment) -> bool {
        self.isns[side as usize] == Some(segment.seq)
    }

    /// Whether a segment opens another connection between the same ports: the rule of the analysis of TCP.
    pub(crate) fn is_reused_by(&self, side: Side, segment: &Segment) -> bool {
        if !segment.has(Tcp::SYN) || segment.has(Tcp::ACK) || self.has_isn(side, segment) {
            return false;
        }
        // Both sides of a simultaneous open send a SYN.
        let has_sent = self.packets.iter().any(|packet| packet.side == side);
        has_sent || self.isns[side.other() as usize].is_none()
    }

    /// Adds the next packet.
    pub(crate) fn add(&mut self, packet: &Packet<'_>, marks: Marks) {
        let side = self.side_of(packet);
        let index = self.packets.len();
        let numbers = packet.segment.map(|segment| {
            let Segment { seq, ack, flags, win, .. } = segment;
            Numbers { seq, ack, flags, win, len: packet.payload.len }
        });
        self.packets.push(Entry { n: packet.n, ts_ns: packet.ts_ns, side, numbers, marks });
        self.has_bytes |= packet.payload.bytes.is_some();
        match &packet.segment {
            Some(segment) => self.add_segment(side, index, segment, packet),
            None => {
                let bytes = packet.payload.bytes.unwrap_or_default();
                let stream = &mut self.streams[side as usize];
                let bytes = stream.push(bytes);
                self.datagrams.push(Datagram {
                    packet: index,
                    side,
                    bytes,
                    len: packet.payload.len,
                });
            }
        }
    }

    fn add_segment(&mut self, side: Side, index: usize, segment: &Segment, packet: &Packet<'_>) {
        let is_reset = segment.has(Tcp::RST);
        if segment.has(Tcp::SYN) {
            self.isns[side as usize].get_or_insert(segment.seq);
            if packet.payload.bytes.is_some() {
                self.scales[side as usize] = Some(segment.options.window_scale.unwrap_or(0));
            }
            self.streams[side as usize].begin(segment.payload_seq());
        }
        if let Some(ack) = segment.ack.filter(|_| !is_reset) {
            self.streams[side.other() as usize].acknowledge(ack);
        }
        // The text of a reset explains it, and is not part of the stream (RFC 9293, section 3.5.3).
        if !is_reset && 0 < packet.payload.len {
            let bytes = packet.payload.bytes.unwrap_or_default();
            let stream = &mut self.streams[side as usize];
            stream.add(segment.payload_seq(), packet.payload.len, bytes, index);
        }
    }

    /// The number of bytes of payload that a side has sent, those that were sent again included.
    pub fn sent(&self, side: Side) -> u64 {
        let sent = self.packets.iter().filter(|packet| packet.side == side);
        sent.map(|packet| packet.numbers.map_or(0, |numbers| u64::from(numbers.len))).sum()
    }

    /// The payload of both sides, in order.
    pub fn transcript(&self) -> Transcript {
        match self.is_tcp {
            true => Transcript::of_streams(&self.streams),
            false => Transcript::of_datagrams(&self.streams, &self.datagrams),
        }
    }
}

fn is_from_client(packet: &Packet<'_>) -> bool {
    if let Some(segment) = &packet.segment
        && segment.has(Tcp::SYN)
    {
        return !segment.has(Tcp::ACK);
    }
    let [is_from_service, is_to_service] =
        [packet.src, packet.dst].map(|end| end.port < FIRST_USER_PORT);
    is_to_service || !is_from_service
}
