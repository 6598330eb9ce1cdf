//! The values of a packet that a connection depends on.

use crate::connection::Endpoint;
use crate::record::ConnectionRecord;
use summary::line::parse_packet;
use summary::{
    Address, HeaderDetails, LinkType, Proto, Summary, Tcp, TcpOptions, Tunnels, decode_with_details,
};

/// A packet of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Index of its part.
    pub part: usize,
    /// Number in its file.
    pub n: i64,
    /// Time in nanoseconds since the epoch.
    pub ts_ns: i64,
    /// Where it comes from.
    pub src: Endpoint,
    /// Where it goes to.
    pub dst: Endpoint,
    /// The segment; `None` for datagrams.
    pub segment: Option<Segment>,
    /// Its payload.
    pub payload: Payload<'a>,
}

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number, with the ACK flag.
    pub ack: Option<u32>,
    /// Control bits.
    pub flags: u8,
    /// Window before scaling.
    pub win: u16,
    /// Options; none in lines.
    pub options: TcpOptions,
}

impl Segment {
    /// Whether it has a control bit.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The sequence number of the first byte of its payload.
    pub fn payload_seq(&self) -> u32 {
        self.seq.wrapping_add(u32::from(self.has(Tcp::SYN)))
    }
}

/// The payload of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Bytes on the wire.
    pub len: u32,
    /// The bytes that were captured, at most `len`; `None` if the file contains none of any packet.
    pub bytes: Option<&'a [u8]>,
}

impl<'a> Packet<'a> {
    /// Decodes a record. `None` if it is neither a segment nor a datagram with ports.
    pub fn of(record: &'a ConnectionRecord) -> Option<Self> {
        let ConnectionRecord { packet, line, frame } = record;
        let mut summary = Summary::new(LinkType::ETHERNET, 0, 0);
        let mut details = HeaderDetails::default();
        let bytes = match frame {
            Some(frame) => Some(decode_with_details(
                LinkType(frame.link),
                &frame.bytes,
                frame.wire_len,
                Tunnels::Inner,
                &mut summary,
                &mut details,
            )),
            None => {
                summary = parse_packet(line)?.summary;
                None
            }
        };
        // The packet may be padded; its payload is not.
        let len = summary.payload.or(bytes.map(|bytes| u32::try_from(bytes.len()).unwrap_or(0)));
        let len = len.unwrap_or(0);
        let bytes = bytes.map(|bytes| &bytes[..bytes.len().min(len as usize)]);
        let endpoint = |address: Option<std::net::IpAddr>, port: Option<u16>| {
            Some(Endpoint { address: Address::from(address?), port: port? })
        };
        let segment = match summary.proto {
            Proto::TCP => Some(Segment {
                seq: summary.tcp.seq?,
                ack: summary.tcp.ack,
                flags: summary.tcp.flags?,
                win: summary.tcp.win?,
                options: details.tcp_options,
            }),
            _ => None,
        };
        Some(Self {
            part: packet.part,
            n: packet.row.n,
            ts_ns: packet.row.ts_ns,
            src: endpoint(summary.src, summary.sport)?,
            dst: endpoint(summary.dst, summary.dport)?,
            segment,
            payload: Payload { len, bytes },
        })
    }
}
