//! Packets with the values that the analysis of TCP needs: those of [`packed`], and further ones.

use crate::packed::{self, Unpacker};
use reassembly::{DnsTracker, FoundDns, FragmentTracker};
use summary::{DnsCode, HeaderDetails, Packet, Summary, TcpOptions, TunnelPath, Tunnels};

use crate::capture::Record;

/// Bits of the byte that tells which further values a packet has.
const IS_FRAGMENT: u8 = 1;
const HAS_PAYLOAD: u8 = 1 << 1;
const HAS_SEQ: u8 = 1 << 2;
const HAS_ACK: u8 = 1 << 3;
const HAS_WIN: u8 = 1 << 4;
const HAS_OPTIONS: u8 = 1 << 5;
const HAS_TUNNEL: u8 = 1 << 6;
const HAS_DNS: u8 = 1 << 7;

/// Bits of the byte that tells which values of a DNS message follow.
const HAS_CODE: u8 = 1;
const HAS_TIME: u8 = 1 << 1;

/// Kinds of TCP options, and their lengths (RFC 9293, RFC 7323, RFC 2018).
const MSS: [u8; 2] = [2, 4];
const WINDOW_SCALE: [u8; 2] = [3, 3];
const SACK_PERMITTED: [u8; 2] = [4, 2];
const SACK: u8 = 5;
const TIMESTAMPS: [u8; 2] = [8, 10];

/// Writes packets in the order in which they were captured.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    fragments: FragmentTracker,
    dns: DnsTracker,
    /// Options being written.
    options: Vec<u8>,
}

/// Values of a packet besides its summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObservedValues {
    /// Options of the TCP header.
    pub options: TcpOptions,
    /// The DNS message that the packet contains or completes.
    pub dns: FoundDns,
}

impl Observer {
    /// Appends a packet with the offset of its record. Fragments have the ports of the first one, if that
    /// was captured before. The fragment that completes a datagram has the content of the datagram.
    pub(crate) fn write(&mut self, record: &Record<'_>, offset: u64, out: &mut Vec<u8>) {
        let (mut packet, mut details) = (record.undecoded(), HeaderDetails::default());
        let payload = record.decode(&mut packet, &mut details);
        let mut whole = None;
        if let Some(fragment) = details.fragment {
            let (ts, interface) = (packet.ts, packet.interface.as_deref());
            let part = (&fragment, record.frame.bytes);
            let found = self.fragments.add(ts, interface, &packet.summary, part, Tunnels::Inner);
            if let Some(inner) = found.inner {
                (packet.summary, details) = *inner;
            }
            if let Some((sport, dport)) = found.ports {
                (packet.summary.sport, packet.summary.dport) = (Some(sport), Some(dport));
            }
            whole = found.whole;
        }
        let (summary, payload) = match &whole {
            Some(whole) => (&whole.summary, whole.payload()),
            None => (&packet.summary, payload),
        };
        let dns = self.dns.find(packet.ts, packet.interface.as_deref(), summary, payload);
        let values = ObservedValues { options: details.tcp_options, dns };
        self.put(&packet, &values, offset, out);
    }

    fn put(
        &mut self,
        packet: &Packet<'_>,
        values: &ObservedValues,
        offset: u64,
        out: &mut Vec<u8>,
    ) {
        packed::put(packet, offset, out);
        let summary = &packet.summary;
        let tcp = &summary.tcp;
        self.options.clear();
        put_options(&values.options, &mut self.options);
        let tunnel = match summary.tunnel.iter().next() {
            Some(_) => summary.tunnel.to_string(),
            None => String::new(),
        };
        let has = |bit: u8, value: bool| if value { bit } else { 0 };
        out.push(
            has(IS_FRAGMENT, summary.frag.is_some())
                | has(HAS_PAYLOAD, summary.payload.is_some())
                | has(HAS_SEQ, tcp.seq.is_some())
                | has(HAS_ACK, tcp.ack.is_some())
                | has(HAS_WIN, tcp.win.is_some())
                | has(HAS_OPTIONS, !self.options.is_empty())
                | has(HAS_TUNNEL, !tunnel.is_empty())
                | has(HAS_DNS, values.dns != FoundDns::default()),
        );
        for number in [summary.payload, tcp.seq, tcp.ack].into_iter().flatten() {
            out.extend(number.to_le_bytes());
        }
        tcp.win.into_iter().for_each(|win| out.extend(win.to_le_bytes()));
        for bytes in [&self.options[..], tunnel.as_bytes()] {
            if !bytes.is_empty() {
                out.push(bytes.len().to_le_bytes()[0]);
                out.extend_from_slice(bytes);
            }
        }
        put_dns(values.dns, out);
    }
}

/// Appends the values of a DNS message, if there are some.
fn put_dns(dns: FoundDns, out: &mut Vec<u8>) {
    let FoundDns { code, time_us } = dns;
    if dns == FoundDns::default() {
        return;
    }
    let has = |bit: u8, value: bool| if value { bit } else { 0 };
    out.push(has(HAS_CODE, code.is_some()) | has(HAS_TIME, time_us.is_some()));
    code.into_iter().for_each(|code| out.extend(code.0.to_le_bytes()));
    time_us.into_iter().for_each(|us| out.extend(us.to_le_bytes()));
}

/// Appends options as in a TCP header. They take at most 53 bytes.
fn put_options(options: &TcpOptions, out: &mut Vec<u8>) {
    if let Some(mss) = options.mss {
        out.extend(MSS);
        out.extend(mss.to_be_bytes());
    }
    if let Some(shift) = options.window_scale {
        out.extend(WINDOW_SCALE);
        out.push(shift);
    }
    if options.is_sack_permitted {
        out.extend(SACK_PERMITTED);
    }
    let pairs = |pairs: &[(u32, u32)], out: &mut Vec<u8>| {
        let numbers = pairs.iter().flat_map(|(one, other)| [one, other]);
        numbers.for_each(|number| out.extend(number.to_be_bytes()));
    };
    if let Some(timestamps) = options.timestamps {
        out.extend(TIMESTAMPS);
        pairs(&[timestamps], out);
    }
    let blocks = options.sack();
    if !blocks.is_empty() {
        out.extend([SACK, 2 + 8 * blocks.len().to_le_bytes()[0]]);
        pairs(blocks, out);
    }
}

/// Reads the packets that a [`ReadFile`](crate::ReadFile) has passed on as
/// [`Form::Observed`](crate::Form::Observed), and passes them to `visit` with further values and the
/// offsets of their records. Fields that the analysis does not need are empty.
pub fn unpack_observed(bytes: &[u8], mut visit: impl FnMut(&Packet<'_>, &ObservedValues, u64)) {
    packed::unpack_with(bytes, |unpacker, packet, offset| {
        let values = read(unpacker, &mut packet.summary)?;
        visit(packet, &values, offset);
        Some(())
    });
}

/// Reads the further values of a packet.
fn read(unpacker: &mut Unpacker<'_>, summary: &mut Summary<'_>) -> Option<ObservedValues> {
    let [present] = unpacker.array()?;
    let has = |bit| present & bit != 0;
    // Only its presence matters.
    summary.frag = has(IS_FRAGMENT).then_some(0);
    let mut number =
        |bit| Some(if has(bit) { Some(u32::from_le_bytes(unpacker.array()?)) } else { None });
    summary.payload = number(HAS_PAYLOAD)?;
    (summary.tcp.seq, summary.tcp.ack) = (number(HAS_SEQ)?, number(HAS_ACK)?);
    summary.tcp.win = match has(HAS_WIN) {
        true => Some(u16::from_le_bytes(unpacker.array()?)),
        false => None,
    };
    let mut bytes = |bit| {
        let [len] = if has(bit) { unpacker.array()? } else { [0] };
        unpacker.bytes(len.into())
    };
    let options = TcpOptions::parse(bytes(HAS_OPTIONS)?);
    summary.tunnel = match bytes(HAS_TUNNEL)? {
        [] => TunnelPath::default(),
        text => TunnelPath::parse(str::from_utf8(text).ok()?)?,
    };
    let [dns] = if has(HAS_DNS) { unpacker.array()? } else { [0] };
    let code = match dns & HAS_CODE != 0 {
        true => Some(DnsCode(u16::from_le_bytes(unpacker.array()?))),
        false => None,
    };
    let time_us = match dns & HAS_TIME != 0 {
        true => Some(u64::from_le_bytes(unpacker.array()?)),
        false => None,
    };
    Some(ObservedValues { options, dns: FoundDns { code, time_us } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use summary::{LinkType, Timestamp};

    fn pair(numbers: (u32, u32)) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&numbers.0.to_be_bytes());
        bytes[4..].copy_from_slice(&numbers.1.to_be_bytes());
        bytes
    }

    prop_compose! {
        fn any_options()(
            mss: Option<[u8; 2]>, shift: Option<u8>, is_permitted: bool,
            timestamps: Option<(u32, u32)>, blocks in prop::collection::vec(any::<(u32, u32)>(), 0..5),
        ) -> TcpOptions {
            let mut bytes = Vec::new();
            bytes.extend(mss.into_iter().flat_map(|[high, low]| [2, 4, high, low]));
            bytes.extend(shift.into_iter().flat_map(|shift| [3, 3, shift]));
            bytes.extend(is_permitted.then_some([4, 2]).into_iter().flatten());
            bytes.extend(timestamps.into_iter().flat_map(|numbers| [&[8, 10][..], &pair(numbers)].concat()));
            if !blocks.is_empty() {
                bytes.extend([5, 2 + 8 * u8::try_from(blocks.len()).unwrap()]);
                bytes.extend(blocks.into_iter().flat_map(pair));
            }
            TcpOptions::parse(&bytes)
        }
    }

    proptest! {
        #[test]
        fn values_for_the_analysis_are_kept(
            ns: i64, options in any_options(), is_fragment: bool, payload: Option<u32>,
            dns_code: Option<u16>, time_us: Option<u64>,
            tcp: (Option<u32>, Option<u32>, Option<u16>),
            tunnel in prop::sample::select(vec!["", "ip", "vxlan:42/gre"]),
        ) {
            let mut summary = Summary::new(LinkType::ETHERNET, 60, 60);
            summary.frag = is_fragment.then_some(0);
            summary.payload = payload;
            (summary.tcp.seq, summary.tcp.ack, summary.tcp.win) = tcp;
            if !tunnel.is_empty() {
                summary.tunnel = TunnelPath::parse(tunnel).unwrap();
            }
            let packet = Packet::new(1, Timestamp::from_ns(ns), summary);
            let values =
                ObservedValues { options, dns: FoundDns { code: dns_code.map(DnsCode), time_us } };
            let empty = Packet::new(2, Timestamp::from_ns(ns), Summary::new(LinkType::ETHERNET, 1, 1));
            let mut bytes = Vec::new();
            let mut observer = Observer::default();
            observer.put(&packet, &values, 7, &mut bytes);
            observer.put(&empty, &ObservedValues::default(), 9, &mut bytes);
            let mut expected = vec![(packet, values, 7), (empty, ObservedValues::default(), 9)];
            unpack_observed(&bytes, |packet, values, offset| {
                let (expected, expected_values, expected_offset) = expected.remove(0);
                assert_eq!((packet, offset), (&expected, expected_offset));
                assert_eq!(values, &expected_values);
            });
            prop_assert!(expected.is_empty());
        }

        #[test]
        fn any_bytes_terminate(bytes: Vec<u8>) {
            let mut count = 0;
            unpack_observed(&bytes, |_, _, _| count += 1);
            prop_assert!(count <= bytes.len());
        }
    }
}
