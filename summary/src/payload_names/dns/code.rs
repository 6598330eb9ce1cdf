//! Response codes.

use super::registry::Registry;
use std::fmt;

/// The response code of a DNS message, with the upper bits from its OPT record (RFC 6891, section 6.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DnsCode(pub u16);

impl DnsCode {
    /// Parses the text that `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        REGISTRY.parse(text).map(Self)
    }
}

/// Writes the mnemonic from the IANA registry in upper case, such as `NXDOMAIN`, or `RCODE3841`.
impl fmt::Display for DnsCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        REGISTRY.write(self.0, formatter)
    }
}

/// IANA "Domain Name System Parameters".
const REGISTRY: Registry = Registry { prefix: "RCODE", names: NAMES };

const NAMES: &[(u16, &str)] = &[
    (0, "NOERROR"),
    (1, "FORMERR"),
    (2, "SERVFAIL"),
    (3, "NXDOMAIN"),
    (4, "NOTIMP"),
    (5, "REFUSED"),
    (6, "YXDOMAIN"),
    (7, "YXRRSET"),
    (8, "NXRRSET"),
    (9, "NOTAUTH"),
    (10, "NOTZONE"),
    (16, "BADVERS"),
    (23, "BADCOOKIE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_parses_back_from_its_text() {
        for code in (0..=u16::MAX).map(DnsCode) {
            assert_eq!(DnsCode::parse(&code.to_string()), Some(code));
        }
        assert_eq!((DnsCode::parse("RCODE3"), DnsCode::parse("X")), (None, None));
    }
}
