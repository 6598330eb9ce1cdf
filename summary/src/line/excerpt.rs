//! The fields of a packet line that the viewer's charts need. Texts that repeat from line to line, such
//! as addresses, are not parsed, so that callers can cache the values of texts they have seen.

use super::json::flag_bits;
use super::scan::{RawTime, scan};
use crate::timestamp::SecondCache;
use crate::{Direction, Proto, ProtoNumber, Timestamp, VlanIds};

/// Some fields of a packet line. Texts are not validated, except that those from an
/// [`ExcerptReader`] are ASCII without escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excerpt<'a> {
    /// Packet number.
    pub n: u64,
    /// Time of capture.
    pub ts: Timestamp,
    /// Name of the interface.
    pub interface: Option<&'a [u8]>,
    /// Direction relative to the capturing host.
    pub direction: Option<Direction>,
    /// Bytes on the wire.
    pub len: u32,
    /// VLAN identifiers, outermost first.
    pub vlan: VlanIds,
    /// Text of the source address: that of the IP header or, if the packet has no IP addresses, the MAC
    /// address.
    pub src: Option<&'a [u8]>,
    /// Text of the destination address, of the same kind.
    pub dst: Option<&'a [u8]>,
    /// Source port.
    pub sport: Option<u16>,
    /// Destination port.
    pub dport: Option<u16>,
    /// Name of the protocol.
    pub proto: &'a [u8],
    /// Number of the protocol if it has no name, and `proto` is [`Proto::OTHER`].
    pub proto_number: Option<ProtoNumber>,
    /// Time to live or hop limit.
    pub ttl: Option<u8>,
    /// TCP control bits: FIN is bit 0.
    pub flags: Option<u8>,
}

/// Reads excerpts from consecutive lines; it caches the last second of the time stamps.
#[derive(Debug, Default)]
pub struct ExcerptReader {
    times: SecondCache,
}

impl ExcerptReader {
    /// Reads the line at the front of `bytes`; also returns its length without the line feed.
    ///
    /// `None` if the line is not exactly what [`Writer`](super::Writer) writes: keys in its order, no
    /// spaces, no escapes. [`PacketFields::parse`](super::PacketFields::parse) reads all other lines.
    /// Fields that the excerpt does not have may contain any number or text.
    ///
    /// ```
    /// let lines = br#"{"type":"pkt","n":7,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"proto":"stp"}
    /// {"type":"pkt","n":8,"#;
    /// let (excerpt, len) = summary::line::ExcerptReader::default().read(lines).unwrap();
    /// assert_eq!((excerpt.n, excerpt.len, excerpt.proto), (7, 60, &b"stp"[..]));
    /// assert_eq!(lines[len], b'\n');
    /// ```
    pub fn read<'a>(&mut self, bytes: &'a [u8]) -> Option<(Excerpt<'a>, usize)> {
        let (fields, len) = scan(bytes)?;
        let direction = match fields.direction {
            Some(name) => Some(Direction::parse(str::from_utf8(name).ok()?)?),
            None => None,
        };
        let flags = match fields.flags {
            Some(letters) => Some(flag_bits(letters)?),
            None => None,
        };
        let (src, dst) = match (fields.src, fields.dst) {
            (None, None) => (fields.eth_src, fields.eth_dst),
            addresses => addresses,
        };
        let excerpt = Excerpt {
            n: fields.n,
            ts: match fields.ts {
                RawTime::Text(text) => self.times.parse(text)?,
                RawTime::Number(time) => time,
            },
            interface: fields.interface,
            direction,
            len: u32::try_from(fields.len).ok()?,
            vlan: fields.vlan,
            src,
            dst,
            sport: convert(fields.sport)?,
            dport: convert(fields.dport)?,
            proto: fields.proto,
            proto_number: number_of(fields.proto, fields.proto_number),
            ttl: convert(fields.ttl)?,
            flags,
        };
        Some((excerpt, len))
    }

    /// Parses the same texts as [`Timestamp::parse`], faster if they are often in the same second.
    pub fn parse_time(&mut self, text: &[u8]) -> Option<Timestamp> {
        self.times.parse(text)
    }
}

/// The number of a protocol if its name says that it has one.
#[inline(always)]
pub(super) fn number_of(proto: &[u8], number: Option<ProtoNumber>) -> Option<ProtoNumber> {
    number.filter(|_| proto == Proto::OTHER.as_bytes())
}

#[inline]
fn convert<T: TryFrom<u64>>(number: Option<u64>) -> Option<Option<T>> {
    match number {
        Some(number) => T::try_from(number).ok().map(Some),
        None => Some(None),
    }
}
