//! The values of a packet that a connection depends on.

use crate::connection::Endpoint;
use crate::record::ConnectionRecord;
use flow::{Marks, Observation, Segment};
use summary::line::{fields, string};
use summary::{
    Address, HeaderDetails, LinkType, PayloadNames, Proto, Summary, Tcp, Timestamp, Tunnels,
    decode_with_details,
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
    /// The header of the segment, in lines without options; `None` for datagrams.
    pub segment: Option<Segment>,
    /// Its payload.
    pub payload: Payload<'a>,
    /// What the analysis of TCP needs.
    pub(crate) observation: Observation,
    /// The findings in its line.
    pub(crate) own_marks: Option<Marks>,
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
                read_line(line, &mut summary)?;
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
        let names = PayloadNames::default();
        let (ts, options) = (Timestamp::from_ns(packet.row.ts_ns), &details.tcp_options);
        Some(Self {
            observation: Observation::new(ts, None, &summary, options, &names),
            own_marks: if frame.is_none() {
                viewer_flows::marks(line).filter(Marks::has_finding)
            } else {
                None
            },
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

/// Reads the fields of a line that a connection depends on. Its other fields are not needed: a reader of all
/// fields would double the size of the module.
fn read_line(line: &[u8], summary: &mut Summary<'_>) -> Option<()> {
    for (name, value) in fields(str::from_utf8(line).ok()?).ok()? {
        let text = || string(value);
        match name.as_ref() {
            "src" => summary.src = text()?.parse().ok(),
            "dst" => summary.dst = text()?.parse().ok(),
            "sport" => summary.sport = value.parse().ok(),
            "dport" => summary.dport = value.parse().ok(),
            "proto" => match &*text()? {
                "tcp" => summary.proto = Proto::TCP,
                "udp" => summary.proto = Proto::UDP,
                _ => return None,
            },
            "frag" => summary.frag = value.parse().ok(),
            "payload" => summary.payload = value.parse().ok(),
            "seq" => summary.tcp.seq = value.parse().ok(),
            "ack" => summary.tcp.ack = value.parse().ok(),
            "win" => summary.tcp.win = value.parse().ok(),
            "flags" => {
                let bits = text()?.bytes().filter_map(Tcp::flag_bit).fold(0, |all, bit| all | bit);
                summary.tcp.flags = Some(bits);
            }
            _ => {}
        }
    }
    Some(())
}
