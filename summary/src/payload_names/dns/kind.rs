//! Types of DNS questions.

use super::registry::Registry;
use std::fmt;

/// The type in a question: an RR type or QTYPE (RFC 1035, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DnsType(pub u16);

impl DnsType {
    /// Parses the text that `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        REGISTRY.parse(text).map(Self)
    }
}

/// Writes the mnemonic from the IANA registry, or `TYPE65280` (RFC 3597, section 5).
impl fmt::Display for DnsType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        REGISTRY.write(self.0, formatter)
    }
}

/// Types that occur in questions (IANA "Domain Name System Parameters").
const REGISTRY: Registry = Registry { prefix: "TYPE", names: NAMES };

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
}
