//! QUIC packets with a long header (RFC 9000, section 17.2).

use super::Bytes;
use crate::inspect::payload as fields;
use crate::observer::Observer;

/// Bits of the first byte: the header form and the fixed bit.
const LONG_FORM: usize = 0x80;
const FIXED_BIT: usize = 0x40;
/// Maximum length of a connection ID in the versions below.
const MAX_ID_LEN: usize = 20;
/// Minimum length of a packet's protected part: a packet number with what is needed to read it.
const MIN_PROTECTED_LEN: usize = 20;
/// Length of the integrity tag at the end of a Retry packet.
const RETRY_TAG_LEN: usize = 16;
/// A datagram with an Initial packet that is to be acknowledged has at least 1200 bytes (RFC 9000, section
/// 14.1). Some traffic generators count the UDP header.
const MIN_INITIAL_DATAGRAM_LEN: usize = 1192;

/// A packet with a long header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuicPacket<'a> {
    /// A known version.
    pub version: u32,
    /// The type in the first byte.
    pub kind: QuicPacketKind,
    /// Destination connection ID, at most 20 bytes.
    pub destination_id: &'a [u8],
    /// The packet, to its end or to the end of the captured bytes. Other packets may follow it.
    pub bytes: &'a [u8],
    /// Length of the header in front of the packet number, or, in a Retry packet, of the token.
    pub header_len: usize,
}

/// Types of packets with long headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuicPacketKind {
    /// Carries the ClientHello; its keys are known to everyone (RFC 9001, section 5.2).
    Initial,
    /// Data of the application before the handshake is complete.
    ZeroRtt,
    /// The encrypted part of the handshake.
    Handshake,
    /// Asks the client for another Initial packet.
    Retry,
}

impl<'a> QuicPacket<'a> {
    /// Version 2 (RFC 9369).
    pub const VERSION_2: u32 = 0x6b33_43cf;

    /// The packet at the front of a datagram that has `wire_len` bytes. `None` if it has no long header,
    /// an unknown version, or lengths that are not possible: any other datagram could start with the same
    /// bits by chance.
    pub fn parse(datagram: &'a [u8], wire_len: usize) -> Option<Self> {
        let has_fixed_bit = datagram.first()? & 0x40 != 0;
        Self::parse_part(datagram, wire_len, wire_len).filter(|_| has_fixed_bit)
    }

    /// The packets with long headers at the front of a complete datagram. The fixed bit may be greased (RFC
    /// 9287): if it is, other protocols begin like this, and the caller has to prove that it is QUIC.
    pub fn all(datagram: &'a [u8]) -> impl Iterator<Item = Self> {
        let mut rest = datagram;
        std::iter::from_fn(move || {
            let packet = Self::parse_part(rest, rest.len(), datagram.len())?;
            rest = &rest[packet.bytes.len()..];
            Some(packet)
        })
    }

    /// The packet at the front of a part of a datagram, which reaches to the end of the datagram.
    fn parse_part(part: &'a [u8], part_len: usize, datagram_len: usize) -> Option<Self> {
        let mut rest = Bytes(part);
        let first = rest.u8()?;
        if first & LONG_FORM == 0 {
            return None;
        }
        let version = u32::from_be_bytes(*rest.take(4)?.first_chunk()?);
        if !is_known(version) {
            return None;
        }
        let mut id = || {
            let len = rest.u8().filter(|len| *len <= MAX_ID_LEN)?;
            rest.take(len)
        };
        let (destination_id, _source_id) = (id()?, id()?);
        let kind = QuicPacketKind::new(first, version);
        if kind == QuicPacketKind::Initial {
            let token_len = rest.variable_int()?;
            rest.take(token_len)?;
        }
        let len = match kind {
            QuicPacketKind::Retry => None,
            _ => Some(rest.variable_int()?),
        };
        let header_len = part.len() - rest.0.len();
        let left = part_len - header_len;
        let is_possible = match (kind, len) {
            (_, None) => RETRY_TAG_LEN <= left,
            // A short datagram ends with the packet, or another one follows.
            (QuicPacketKind::Initial, Some(len)) if datagram_len < MIN_INITIAL_DATAGRAM_LEN => {
                let next = rest.0.get(len);
                let is_next = next.is_none_or(|first| usize::from(*first) & FIXED_BIT != 0);
                MIN_PROTECTED_LEN <= len && len <= left && is_next
            }
            (_, Some(len)) => MIN_PROTECTED_LEN <= len && len <= part_len,
        };
        let len = len.map_or(part.len(), |len| (header_len + len).min(part.len()));
        let bytes = &part[..len];
        is_possible.then_some(Self { version, kind, destination_id, bytes, header_len })
    }
}

impl QuicPacketKind {
    fn new(first: usize, version: u32) -> Self {
        // Version 2 rotates the types (RFC 9369, section 3.2).
        let rotation = if version == QuicPacket::VERSION_2 { 3 } else { 0 };
        match ((first >> 4 & 3) + rotation) % 4 {
            0 => Self::Initial,
            1 => Self::ZeroRtt,
            2 => Self::Handshake,
            _ => Self::Retry,
        }
    }
}

/// The version of the packet at the front of a datagram.
pub(super) fn version(
    payload: &[u8],
    wire_len: usize,
    observer: &mut impl Observer,
) -> Option<u32> {
    let packet = QuicPacket::parse(payload, wire_len)?;
    observer.layer(payload, fields::quic);
    Some(packet.version)
}

/// Version 1 (RFC 9000), version 2 (RFC 9369), drafts of version 1 with the same header, and the
/// versions of Google and Facebook.
fn is_known(version: u32) -> bool {
    match version.to_be_bytes() {
        [0, 0, 0, 1] => true,
        [0xff, 0, 0, draft] => (22..=34).contains(&draft),
        [b'Q' | b'T', b'0', b'5', digit] => digit.is_ascii_digit(),
        [0xfa, 0xce, 0xb0, low] => low <= 0x0f, // Facebook
        _ => version == QuicPacket::VERSION_2,
    }
}
/// Takes an integer of variable length (RFC 9000, section 16) from the front of `bytes`. `None` if there are
/// too few bytes.
pub fn take_variable_int(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    let (others, rest) = rest.split_at_checked((1 << (first >> 6)) - 1)?;
    *bytes = rest;
    Some(others.iter().fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A datagram of `len` bytes with one Initial packet of version 1.
    pub(crate) fn initial(len: usize) -> Vec<u8> {
        let header = b"\xc3\0\0\0\x01\x08abcdefgh\0\0";
        let left = u16::try_from(len - header.len() - 2).unwrap();
        let mut datagram = [&header[..], &(left | 0x4000).to_be_bytes()].concat();
        datagram.resize(len, 0xa5);
        datagram
    }

    #[test]
    fn lengths_must_agree() {
        let found = |datagram: &[u8]| version(datagram, datagram.len(), &mut ());
        let datagram = initial(1200);
        assert_eq!(found(&datagram), Some(1));
        assert_eq!(found(&initial(60)), Some(1));
        // The capture may omit the end, but not the length.
        assert_eq!(version(&datagram[..40], 1200, &mut ()), Some(1));
        assert_eq!(version(&datagram[..17], 1200, &mut ()), None);
        assert_eq!(found(&datagram[..1100]), None);
        // Form, fixed bit, version, lengths of the IDs, of the token, of the packet.
        for (at, value) in [(0, 0x43), (0, 0x83), (4, 2), (5, 21), (14, 21), (15, 0xff), (16, 0x7f)]
        {
            let mut wrong = datagram.clone();
            wrong[at] = value;
            assert_eq!(found(&wrong), None, "{at}");
        }
        let mut short = datagram.clone();
        short[16..18].copy_from_slice(&[0x40, 19]);
        assert_eq!(found(&short), None);
        // Followed by something else, in a datagram that is too short for an Initial packet.
        let mut unpadded = initial(60);
        unpadded.push(0x40);
        assert_eq!(found(&unpadded), Some(1));
        unpadded[60] = 0;
        assert_eq!(found(&unpadded), None);
        unpadded[0] = 0xe3;
        unpadded.remove(15);
        assert_eq!(found(&unpadded), Some(1), "a Handshake packet");
    }

    #[test]
    fn types_depend_on_the_version() {
        let retry = |first: u8, version: u32, len: usize| {
            let header = [&[first][..], &version.to_be_bytes(), &[0, 0]].concat();
            super::version(&[&header, &vec![0xff; len][..]].concat(), 7 + len, &mut ())
        };
        assert_eq!(retry(0xf0, 1, 16), Some(1));
        assert_eq!(retry(0xf0, 1, 15), None);
        assert_eq!(retry(0xc0, QuicPacket::VERSION_2, 16), Some(QuicPacket::VERSION_2));
        assert_eq!(retry(0xf0, QuicPacket::VERSION_2, 16), None);
    }
}
