//! What tshark reads in DNS messages and ClientHellos, as fields of a line.

use serde_json::{Value, json};

use super::tshark::Row;

/// Maximum number of texts in a list of a line.
const MAX_TEXTS: usize = 8;

/// Response codes from 0 on (IANA registry).
const CODES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",
];

/// Types of most questions (IANA registry).
const TYPES: [(&str, &str); 12] = [
    ("1", "A"),
    ("2", "NS"),
    ("5", "CNAME"),
    ("6", "SOA"),
    ("12", "PTR"),
    ("15", "MX"),
    ("16", "TXT"),
    ("28", "AAAA"),
    ("33", "SRV"),
    ("43", "DS"),
    ("48", "DNSKEY"),
    ("65", "HTTPS"),
];

/// Types of records with an address or a name, and tshark's field for it.
const RECORDS: [(&str, &str); 6] = [
    ("1", "dns.a"),
    ("28", "dns.aaaa"),
    ("5", "dns.cname"),
    ("2", "dns.ns"),
    ("12", "dns.ptr.domain_name"),
    ("39", "dns.dname"),
];

/// Types of records whose text in a line tshark has in several fields.
const COMPOUND: [&str; 3] = ["15", "16", "33"];

/// The encrypted ClientHello (RFC 9849).
const ECH_EXTENSION: &str = "65037";

const CLIENT_HELLO: &str = "1";

impl Row {
    /// The fields of a packet with a single DNS message.
    pub(super) fn dns(&self, line: &Value) -> Vec<(&'static str, Value)> {
        let [response] = self.all("dns.flags.response").collect::<Vec<_>>()[..] else {
            return Vec::new();
        };
        let mut fields = Vec::new();
        let code =
            self.all("dns.flags.rcode").next().filter(|_| response == "1" || response == "True");
        let name = |code: &str| -> Option<&str> { CODES.get(code.parse::<usize>().ok()?).copied() };
        fields.push(("dns_rcode", json!(code.map(|code| name(code).unwrap_or("without a name")))));
        let kind = self.all("dns.qry.type").next();
        if let Some((_, kind)) = TYPES.iter().find(|(number, _)| Some(*number) == kind) {
            fields.push(("dns_type", json!(kind)));
        }
        fields.extend(self.answers().map(|answers| ("dns_answers", answers)));
        // tshark also gives times to repeated responses.
        let time: Option<f64> = self.all("dns.time").next().and_then(|time| time.parse().ok());
        if let (Some(seconds), Some(us)) = (time, line["dns_time_us"].as_f64()) {
            let is_equal = (seconds * 1e6 - us).abs() <= 1.0;
            let theirs = if is_equal { line["dns_time_us"].clone() } else { json!(seconds * 1e6) };
            fields.push(("dns_time_us", theirs));
        }
        fields
    }

    /// The texts of the answers; `None` if tshark does not show them completely.
    fn answers(&self) -> Option<Value> {
        let mut columns = RECORDS.map(|(kind, name)| (kind, self.all(name)));
        let count = self.all("dns.count.answers").next().map_or(Ok(0), str::parse).ok()?;
        let mut answers = Vec::new();
        // Answers are before the records of the other sections.
        for kind in self.all("dns.resp.type").take(count) {
            if COMPOUND.contains(&kind) {
                return None;
            }
            if let Some((_, column)) = columns.iter_mut().find(|(other, _)| *other == kind) {
                answers.push(column.next()?);
            }
        }
        answers.truncate(MAX_TEXTS);
        Some(if answers.is_empty() { Value::Null } else { json!(answers) })
    }

    /// The fields of a packet that completes one ClientHello, and contains no other message.
    pub(super) fn client_hello(&self) -> Vec<(&'static str, Value)> {
        if self.text("tls.handshake.type") != CLIENT_HELLO {
            return Vec::new();
        }
        let mut fields = Vec::new();
        if let Some(name) = self.all("tls.handshake.extensions_server_name").next() {
            fields.push(("sni", json!(name)));
        }
        let protocols: Vec<_> =
            self.all("tls.handshake.extensions_alpn_str").take(MAX_TEXTS).collect();
        fields.push(("alpn", if protocols.is_empty() { Value::Null } else { json!(protocols) }));
        let is_encrypted =
            self.all("tls.handshake.extension.type").any(|kind| kind == ECH_EXTENSION);
        fields.push(("ech", if is_encrypted { json!(true) } else { Value::Null }));
        fields
    }
}
