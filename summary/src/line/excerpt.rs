//! What charts need of a packet's line, as texts where the same ones come again and again: who keeps
//! them once need not read them each time.

use super::json::flag_bits;
use super::scan::scan;
use crate::timestamp::Clock;
use crate::{Direction, Timestamp, VlanIds};

/// Some fields of a packet's line; texts are in ASCII and not looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excerpt<'a> {
    /// Number of the packet.
    pub n: u64,
    /// When it was captured.
    pub ts: Timestamp,
    /// Name of the interface.
    pub interface: Option<&'a [u8]>,
    /// Where it went.
    pub direction: Option<Direction>,
    /// Bytes on the wire.
    pub len: u32,
    /// VLAN ids, outermost first.
    pub vlan: VlanIds,
    /// Text of the source address, or of whatever stands in its place.
    pub src: Option<&'a [u8]>,
    /// Text of the destination address, as `src`.
    pub dst: Option<&'a [u8]>,
    /// Source port.
    pub sport: Option<u16>,
    /// Destination port.
    pub dport: Option<u16>,
    /// Name of the protocol.
    pub proto: &'a [u8],
    /// Time to live or hop limit.
    pub ttl: Option<u8>,
    /// TCP control bits, FIN lowest.
    pub flags: Option<u8>,
}

/// Reads excerpts, line after line.
#[derive(Debug, Default)]
pub struct ExcerptReader {
    clock: Clock,
}

impl ExcerptReader {
    /// Reads the line at the front of `bytes` if it is a packet's as [`Writer`](super::Writer) makes
    /// it: keys in its order, no spaces, no escapes. With it comes the length of the line without its
    /// line feed. `None` for any other line, which [`parse`](super::parse) may know.
    ///
    /// A field that is not in the excerpt may hold any number or text.
    ///
    /// ```
    /// let lines = br#"{"type":"pkt","n":7,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"proto":"stp"}
    /// {"type":"pkt","n":8,"#;
    /// let (excerpt, len) = summary::line::ExcerptReader::default().read(lines).unwrap();
    /// assert_eq!((excerpt.n, excerpt.len, excerpt.proto), (7, 60, &b"stp"[..]));
    /// assert_eq!(lines[len], b'\n');
    /// ```
    pub fn read<'a>(&mut self, bytes: &'a [u8]) -> Option<(Excerpt<'a>, usize)> {
        let (pieces, len) = scan(bytes)?;
        let direction = match pieces.direction {
            Some(name) => Some(Direction::parse(str::from_utf8(name).ok()?)?),
            None => None,
        };
        let flags = match pieces.flags {
            Some(letters) => Some(flag_bits(letters)?),
            None => None,
        };
        let excerpt = Excerpt {
            n: pieces.n,
            ts: self.clock.read(pieces.ts)?,
            interface: pieces.interface,
            direction,
            len: u32::try_from(pieces.len).ok()?,
            vlan: pieces.vlan,
            src: pieces.src,
            dst: pieces.dst,
            sport: narrow(pieces.sport)?,
            dport: narrow(pieces.dport)?,
            proto: pieces.proto,
            ttl: narrow(pieces.ttl)?,
            flags,
        };
        Some((excerpt, len))
    }
}

#[inline]
fn narrow<T: TryFrom<u64>>(number: Option<u64>) -> Option<Option<T>> {
    match number {
        Some(number) => T::try_from(number).ok().map(Some),
        None => Some(None),
    }
}
