//! The values of a packet that flows depend on.

use std::sync::Arc;
use summary::{
    Address, DnsCode, Ja4, PayloadNames, Proto, Summary, TcpOptions, Timestamp, TunnelKind, VlanIds,
};

use crate::{Endpoint, Names};

/// One packet, as [`FlowTable::add`](crate::FlowTable::add) takes it. It owns its values, so that a
/// thread can decode packets for another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Time of capture.
    pub ts: Timestamp,
    /// Name of the interface.
    pub interface: Option<Arc<str>>,
    /// VLAN identifiers.
    pub vlan: VlanIds,
    /// Kind and number of the innermost tunnel. The number is `None` if it differs by direction.
    pub tunnel: Option<(TunnelKind, Option<u32>)>,
    /// Innermost protocol decoded.
    pub proto: Proto<'static>,
    /// Where the packet comes from.
    pub src: Endpoint,
    /// Where the packet goes to.
    pub dst: Endpoint,
    /// Bytes on the wire.
    pub len: u32,
    /// The IP header says that the packet experienced congestion: CE (RFC 3168, section 5).
    pub is_ce: bool,
    /// Bytes after the transport header.
    pub payload: u32,
    /// The TCP header; `None` for other protocols, fragments and damaged headers.
    pub segment: Option<Segment>,
    /// A DNS message.
    pub dns: Option<DnsMessage>,
    /// Names in the payload, except in DNS messages.
    pub names: Option<Box<Names>>,
}

/// The header of a TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number, with the ACK flag.
    pub ack: Option<u32>,
    /// Control bits: FIN is bit 0.
    pub flags: u8,
    /// Window before scaling.
    pub win: u16,
    /// Options.
    pub options: TcpOptions,
}

/// A DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DnsMessage {
    /// Code of a response; `None` in queries.
    pub code: Option<DnsCode>,
    /// Microseconds from the query to this response, if the query was captured.
    pub time_us: Option<u64>,
}

impl Observation {
    /// The values of a decoded packet. `names` may be empty. `is_ce` is false: no summary contains it.
    pub fn new(
        ts: Timestamp,
        interface: Option<Arc<str>>,
        summary: &Summary<'_>,
        options: &TcpOptions,
        names: &PayloadNames<'_>,
    ) -> Self {
        let (src, dst) = match (summary.src, summary.dst) {
            (None, None) => (summary.eth_src.map(Address::Mac), summary.eth_dst.map(Address::Mac)),
            (src, dst) => (src.map(Address::from), dst.map(Address::from)),
        };
        let has_segment = summary.frag.is_none() && summary.proto == Proto::TCP;
        Self {
            ts,
            interface,
            vlan: summary.vlan,
            tunnel: summary
                .tunnel
                .iter()
                .last()
                .map(|(kind, id)| (kind, id.filter(|_| kind.has_shared_id()))),
            proto: summary.proto.clone().into_owned(),
            src: Endpoint { address: src, port: summary.sport },
            dst: Endpoint { address: dst, port: summary.dport },
            len: summary.len,
            is_ce: false,
            payload: summary.payload.unwrap_or(0),
            segment: has_segment.then(|| segment(summary, options)).flatten(),
            dns: names
                .dns
                .is_some()
                .then_some(DnsMessage { code: names.dns_rcode, time_us: names.dns_time_us }),
            names: owned_names(names),
        }
    }
}

fn segment(summary: &Summary<'_>, options: &TcpOptions) -> Option<Segment> {
    let tcp = &summary.tcp;
    // Without a payload length, the next sequence number is not known.
    summary.payload?;
    Some(Segment {
        seq: tcp.seq?,
        ack: tcp.ack,
        flags: tcp.flags?,
        win: tcp.win?,
        options: *options,
    })
}

fn owned_names(names: &PayloadNames<'_>) -> Option<Box<Names>> {
    let PayloadNames { sni, ja4, http_host, .. } = names;
    let is_empty = sni.is_none() && ja4.is_none() && http_host.is_none();
    let own = |name: &Option<std::borrow::Cow<'_, str>>| name.as_deref().map(Box::from);
    let ja4: Option<Ja4> = *ja4;
    (!is_empty).then(|| Box::new(Names { sni: own(sni), ja4, http_host: own(http_host) }))
}
