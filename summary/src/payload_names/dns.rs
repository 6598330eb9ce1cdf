//! The first question of a DNS message (RFC 1035, section 4.1).

use super::{Bytes, push_text};
use crate::inspect::payload as fields;
use crate::observer::Observer;
use std::borrow::Cow;
use std::fmt;

/// Maximum length of a name on the wire (RFC 1035, section 2.3.4).
const MAX_NAME_LEN: usize = 255;
/// Maximum length of a label. The two highest bits of a length distinguish labels from pointers.
const MAX_LABEL_LEN: usize = 63;

/// The type in a question: an RR type or QTYPE (RFC 1035, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DnsType(pub u16);

impl DnsType {
    /// Parses the text that `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let named = NAMES.iter().find(|(_, name)| *name == text);
        named.map(|&(number, _)| Self(number)).or_else(|| {
            let number = Self(text.strip_prefix("TYPE")?.parse().ok()?);
            (number.to_string() == text).then_some(number)
        })
    }
}

/// Writes the mnemonic from the IANA registry, or `TYPE65280` (RFC 3597, section 5).
impl fmt::Display for DnsType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => formatter.write_str(name),
            None => write!(formatter, "TYPE{}", self.0),
        }
    }
}

/// Types that occur in questions (IANA "Domain Name System Parameters").
const NAMES: &[(u16, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (24, "SIG"),
    (25, "KEY"),
    (28, "AAAA"),
    (29, "LOC"),
    (32, "NB"),
    (33, "SRV"),
    (35, "NAPTR"),
    (37, "CERT"),
    (39, "DNAME"),
    (41, "OPT"),
    (43, "DS"),
    (44, "SSHFP"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
    (256, "URI"),
    (257, "CAA"),
];

/// Name and type of the first question. A compression pointer is invalid there, because no name
/// precedes it.
pub(super) fn question<'a>(
    message: &[u8],
    buf: &'a mut String,
    observer: &mut impl Observer,
) -> Option<(Cow<'a, str>, DnsType)> {
    let mut rest = Bytes(message);
    let header = rest.take(12)?;
    if header[4..6] == [0, 0] {
        return None;
    }
    let questions = rest.0;
    buf.clear();
    let mut left = MAX_NAME_LEN;
    loop {
        let len = rest.u8()?;
        left = left.checked_sub(1 + len)?;
        if len == 0 {
            break;
        }
        if MAX_LABEL_LEN < len {
            return None;
        }
        if !buf.is_empty() {
            buf.push('.');
        }
        for part in rest.take(len)?.split_inclusive(|byte| *byte == b'.') {
            match part.split_last() {
                Some((b'.', before)) => {
                    push_text(before, buf);
                    buf.push_str("\\.");
                }
                _ => push_text(part, buf),
            }
        }
    }
    if buf.is_empty() {
        buf.push('.');
    }
    let after_name = rest.0;
    let kind = DnsType(u16::try_from(rest.u16()?).ok()?);
    let after_kind = rest.0;
    let class = rest.u16()?;
    observer.layer(message, fields::dns);
    observer.field(Some("dns"), "Question name", (questions, after_name), buf);
    observer.field(Some("dns_type"), "Question type", (after_name, after_kind), &kind);
    observer.field(None, "Question class", (after_kind, rest.0), &class);
    Some((Cow::Borrowed(buf), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_parses_back_from_its_text() {
        for kind in (0..=u16::MAX).map(DnsType) {
            assert_eq!(DnsType::parse(&kind.to_string()), Some(kind));
        }
        assert_eq!((DnsType::parse("TYPE1"), DnsType::parse("X")), (None, None));
    }

    #[test]
    fn invalid_names_are_rejected() {
        let message =
            |name: &[u8]| [&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], name, &[0, 1, 0, 1]].concat();
        let mut buf = String::new();
        let mut read =
            |name: &[u8]| question(&message(name), &mut buf, &mut ()).map(|(name, _)| name.len());
        let label = [&[63][..], &[b'a'; 63]].concat();
        assert_eq!(read(&[0]), Some(1));
        assert_eq!(read(&[&label.repeat(3)[..], &[61], &[b'a'; 61], &[0]].concat()), Some(253));
        assert_eq!(read(&[&label.repeat(3)[..], &[62], &[b'a'; 62], &[0]].concat()), None);
        assert_eq!(read(&[0xc0, 12]), None);
    }
}
