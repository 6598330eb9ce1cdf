//! Reads packets with tshark, and converts its fields to those of a line where both have the same
//! meaning.

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Fields in column order. tshark prints all occurrences of a field, the outermost header's first.
const FIELDS: [&str; 71] = [
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "frame.protocols",
    "vlan.id",
    "ieee8021ad.id",
    "eth.src",
    "eth.dst",
    "eth.type",
    "ip.src",
    "ip.dst",
    "ip.ttl",
    "ip.hdr_len",
    "ip.len",
    "ip.frag_offset",
    "ip.flags.mf",
    "ip.id",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.hlim",
    "ipv6.plen",
    "ipv6.fraghdr.offset",
    "ipv6.fraghdr.more",
    "ipv6.fraghdr.ident",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.flags",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.window_size_value",
    "tcp.len",
    "udp.srcport",
    "udp.dstport",
    "sctp.srcport",
    "sctp.dstport",
    "dccp.srcport",
    "dccp.dstport",
    "icmp.type",
    "icmp.code",
    "icmpv6.type",
    "icmpv6.code",
    "arp.opcode",
    "arp.src.proto_ipv4",
    "arp.dst.proto_ipv4",
    "wlan.sa",
    "wlan.ta",
    "wlan.da",
    "wlan.ra",
    "dns.qry.name",
    "dns.qry.type",
    "dns.flags.response",
    "dns.flags.rcode",
    "dns.count.answers",
    "dns.time",
    "dns.resp.type",
    "dns.a",
    "dns.aaaa",
    "dns.cname",
    "dns.ns",
    "dns.ptr.domain_name",
    "dns.dname",
    "tls.handshake.type",
    "tls.handshake.extensions_server_name",
    "tls.handshake.extensions_alpn_str",
    "tls.handshake.extension.type",
    "http.request.method",
    "http.host",
    "http.request.uri",
    "http.response.code",
    "quic.version",
    "communityid",
];

/// tshark has to dissect each packet on its own, with the sequence numbers of the wire.
const PREFERENCES: [&str; 5] = [
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",
];

/// Link types whose fields are all compared. For others, only lengths and times are compared.
const LINKS: [&str; 26] = [
    "ethernet",
    "raw",
    "ipv4",
    "ipv6",
    "sll",
    "sll2",
    "null",
    "loop",
    "ppp",
    "radiotap",
    "ieee802.11",
    "ppp-hdlc",
    "pppoe",
    "cisco-hdlc",
    "frame-relay",
    "fddi",
    "enc",
    "pflog",
    "prism",
    "avs",
    "ppi",
    "ppp-dir",
    "nflog",
    "pktap",
    "arcnet-linux",
    "juniper-ether",
];

/// Protocols below the network layer.
const BELOW_NETWORK: [&str; 29] = [
    "eth",
    "ethertype",
    "vlan",
    "ieee8021ad",
    "sll",
    "null",
    "loop",
    "ppp",
    "pppoes",
    "mpls",
    "llc",
    "radiotap",
    "wlan_radio",
    "wlan",
    "raw",
    "frame",
    "chdlc",
    "fr",
    "fddi",
    "enc",
    "pflog",
    "prism",
    "wlancap",
    "ppi",
    "nflog",
    "pktap",
    "pcap_pktdata",
    "arcnet",
    "juniper",
];

/// Ports of DNS, multicast DNS and LLMNR.
const DNS_PORTS: [Option<u64>; 3] = [Some(53), Some(5353), Some(5355)];

/// tshark's names of transport protocols, and the names in lines.
const TRANSPORTS: [(&str, &str); 15] = [
    ("tcp", "tcp"),
    ("udp", "udp"),
    ("udplite", "udp-lite"),
    ("sctp", "sctp"),
    ("dccp", "dccp"),
    ("icmp", "icmp"),
    ("icmpv6", "icmp6"),
    ("igmp", "igmp"),
    ("gre", "gre"),
    ("esp", "esp"),
    ("ip", "ip-in-ip"),
    ("ipv6", "ipv6"),
    ("ospf", "ospf"),
    ("pim", "pim"),
    ("vrrp", "vrrp"),
];

/// The fields of a packet.
pub(super) struct Row {
    /// One per entry of [`FIELDS`].
    columns: Vec<String>,
}

/// Reads all packets of a file.
pub(super) fn rows(file: &Path) -> Vec<Row> {
    let mut command = Command::new("tshark");
    command.args(["--enable-protocol", "communityid"]);
    command
        .args(["-n", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;", "-r"])
        .arg(file);
    command.args(PREFERENCES.iter().flat_map(|preference| ["-o", preference]));
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |line: &str| Row { columns: line.split('\t').map(str::to_owned).collect() };
    let rows: Vec<_> = text.lines().map(row).collect();
    assert!(rows.iter().all(|row| row.columns.len() == FIELDS.len()));
    rows
}

impl Row {
    /// Nanoseconds since the Unix epoch.
    pub(super) fn time_ns(&self) -> i128 {
        let text = self.text("frame.time_epoch");
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let (is_negative, seconds) = match seconds.strip_prefix('-') {
            Some(seconds) => (true, seconds),
            None => (false, seconds),
        };
        let fraction: i128 = format!("{fraction:0<9}").parse().unwrap();
        let ns = seconds.parse::<i128>().unwrap() * 1_000_000_000 + fraction;
        if is_negative { -ns } else { ns }
    }

    /// Protocol names, outermost first.
    pub(super) fn protocols(&self) -> &str {
        self.text("frame.protocols")
    }

    /// The expected fields of a line; null means absent.
    pub(super) fn fields(&self, line: &Value) -> Vec<(&'static str, Value)> {
        let (len, cap) = (self.number("frame.len"), self.number("frame.cap_len"));
        let mut fields = vec![("cap", if cap == len { Value::Null } else { cap }), ("len", len)];
        let link = line.get("link").and_then(Value::as_str).unwrap_or("ethernet");
        if !LINKS.contains(&link) {
            return fields;
        }
        let layers: Vec<_> = self.protocols().split(':').collect();
        if line.get("tunnel").is_some() {
            self.tunnel(&layers, &mut fields);
            return fields;
        }
        let depth = layers.iter().take_while(|layer| BELOW_NETWORK.contains(layer)).count();
        fields.push(("vlan", self.vlan(&layers[..depth])));
        match layers.get(depth).copied() {
            Some("arp" | "rarp") => self.arp(&mut fields),
            Some("ip") => self.ip(line, &layers[depth + 1..], &mut fields),
            Some("ipv6") => self.ipv6(line, &layers[depth + 1..], &mut fields),
            _ => self.link_only(&mut fields),
        }
        fields
    }

    /// Addresses, hop limit and ports of the innermost packet, and the addresses around the tunnels. An
    /// ICMP error also contains the headers of another packet.
    fn tunnel(&self, layers: &[&str], fields: &mut Vec<(&'static str, Value)>) {
        let end = layers.iter().position(|layer| layer.starts_with("icmp"));
        let layers = &layers[..end.unwrap_or(layers.len())];
        let count = |name: &str| layers.iter().filter(|layer| **layer == name).count();
        let last = |layer: &str, field: &str| {
            count(layer).checked_sub(1).and_then(|index| self.all(field).nth(index))
        };
        let is_network = |layer: &&str| ["ip", "ipv6", "arp"].contains(layer);
        let outermost = layers.iter().position(is_network);
        // A frame or PPP in a tunnel can contain another protocol.
        let is_link = |layer: &&str| ["eth", "ppp"].contains(layer);
        let start = layers.iter().rposition(is_link).unwrap_or(0);
        let innermost = layers.iter().rposition(is_network).filter(|index| start <= *index);
        let (src, dst, ttl) = match innermost.map(|index| layers[index]) {
            Some("ip") => (last("ip", "ip.src"), last("ip", "ip.dst"), last("ip", "ip.ttl")),
            Some("ipv6") => {
                (last("ipv6", "ipv6.src"), last("ipv6", "ipv6.dst"), last("ipv6", "ipv6.hlim"))
            }
            Some(_) => return,
            None => (None, None, None),
        };
        fields.extend([("src", src.into()), ("dst", dst.into())]);
        fields.push(("ttl", ttl.map_or(Value::Null, number)));
        if let Some(outermost) = outermost.filter(|index| Some(*index) != innermost) {
            for (field, name) in [("outer_src", "src"), ("outer_dst", "dst")] {
                fields.push((field, self.string(&format!("{}.{name}", layers[outermost]))));
            }
        }
        let Some(inner) = innermost else { return };
        let transport = layers[inner..].iter().find(|layer| ["tcp", "udp"].contains(layer));
        if let Some(transport) = transport {
            for (field, name) in [("sport", "srcport"), ("dport", "dstport")] {
                let port = last(transport, &format!("{transport}.{name}"));
                fields.push((field, port.map_or(Value::Null, number)));
            }
        }
    }

    fn vlan(&self, below: &[&str]) -> Value {
        let (mut outer, mut inner) = (self.all("ieee8021ad.id"), self.all("vlan.id"));
        let ids: Vec<_> = below
            .iter()
            .filter_map(|layer| match *layer {
                "ieee8021ad" => outer.next(),
                "vlan" => inner.next(),
                _ => None,
            })
            .map(number)
            .collect();
        if ids.is_empty() { Value::Null } else { ids.into() }
    }

    fn link_only(&self, fields: &mut Vec<(&'static str, Value)>) {
        for field in ["ttl", "sport", "dport", "flags", "icmp_type", "arp_op"] {
            fields.push((field, Value::Null));
        }
        let first = |names: [&str; 3]| {
            let present = names.into_iter().find(|name| !self.text(name).is_empty());
            present.map(|name| self.string(name))
        };
        for (field, names) in [
            ("eth_src", ["eth.src", "wlan.sa", "wlan.ta"]),
            ("eth_dst", ["eth.dst", "wlan.da", "wlan.ra"]),
        ] {
            fields.extend(first(names).map(|address| (field, address)));
        }
        fields.extend([("src", Value::Null), ("dst", Value::Null)]);
    }

    fn arp(&self, fields: &mut Vec<(&'static str, Value)>) {
        fields.push(("arp_op", self.number("arp.opcode")));
        // tshark calls both protocols arp.
        let is_rarp = self.all("eth.type").next() == Some("0x8035");
        fields.push(("proto", json!(if is_rarp { "rarp" } else { "arp" })));
        if !self.text("arp.src.proto_ipv4").is_empty()
            && !self.text("arp.dst.proto_ipv4").is_empty()
        {
            fields.push(("src", self.string("arp.src.proto_ipv4")));
            fields.push(("dst", self.string("arp.dst.proto_ipv4")));
        }
    }

    fn ip(&self, line: &Value, layers: &[&str], fields: &mut Vec<(&'static str, Value)>) {
        // tshark shows no field of a malformed header; the line then has link-layer addresses.
        if !self.text("ip.src").is_empty() {
            fields.push(("src", self.string("ip.src")));
            fields.push(("dst", self.string("ip.dst")));
        }
        fields.push(("ttl", self.number("ip.ttl")));
        // In units of eight bytes.
        let offset = self.number("ip.frag_offset").as_u64().unwrap_or(0) * 8;
        let is_fragment = offset > 0 || self.is_set("ip.flags.mf");
        fields.push(("frag", if is_fragment { json!(offset) } else { Value::Null }));
        let len = self.number("ip.len").as_u64();
        let header = self.number("ip.hdr_len").as_u64();
        let left =
            len.filter(|len| *len > 0).zip(header).map(|(len, header)| len.checked_sub(header));
        self.transport(line, layers, left.flatten(), offset, fields);
    }

    fn ipv6(&self, line: &Value, layers: &[&str], fields: &mut Vec<(&'static str, Value)>) {
        fields.push(("src", self.string("ipv6.src")));
        fields.push(("dst", self.string("ipv6.dst")));
        fields.push(("ttl", self.number("ipv6.hlim")));
        let offset = self.number("ipv6.fraghdr.offset").as_u64().unwrap_or(0) * 8;
        let is_fragment = offset > 0 || self.is_set("ipv6.fraghdr.more");
        fields.push(("frag", if is_fragment { json!(offset) } else { Value::Null }));
        // Without extension headers the transport protocol has the whole payload.
        let has_extensions = layers.first().is_some_and(|layer| is_extension(layer));
        let len = self.number("ipv6.plen").as_u64();
        let left = len.filter(|len| *len > 0 && !has_extensions);
        self.transport(line, layers, left, offset, fields);
    }

    /// The transport protocol. `left` is the number of its bytes in the packet, if known.
    fn transport(
        &self,
        line: &Value,
        layers: &[&str],
        left: Option<u64>,
        offset: u64,
        fields: &mut Vec<(&'static str, Value)>,
    ) {
        let Some(layer) = layers.iter().find(|layer| !is_extension(layer)) else { return };
        let Some((name, proto)) = TRANSPORTS.iter().find(|(name, _)| name == layer) else { return };
        if offset > 0 {
            // Only the first fragment has the header.
            if line.get("err").is_none() {
                let id = Some(self.text("communityid")).filter(|id| !id.is_empty());
                fields.push(("community_id", json!(id)));
            }
            return;
        }
        self.names(layers, line, fields);
        fields.push(("proto", json!(proto)));
        // tshark uses UDP's field names for UDP-Lite.
        let ports = if *name == "udplite" { "udp" } else { name };
        if ["tcp", "udp", "sctp", "dccp"].contains(&ports) {
            fields.push(("sport", self.number(&format!("{ports}.srcport"))));
            fields.push(("dport", self.number(&format!("{ports}.dstport"))));
        }
        match *name {
            "tcp" => self.tcp(line, fields),
            // From the IP length, not UDP's own, and only if the frame is not shorter.
            "udp" | "udplite" if !has_bad_length(line) => {
                fields.extend(left.map(|left| ("payload", json!(left.checked_sub(8)))));
            }
            "icmp" | "icmpv6" => {
                fields.push(("icmp_type", self.number(&format!("{name}.type"))));
                fields.push(("icmp_code", self.number(&format!("{name}.code"))));
            }
            _ => {}
        }
    }

    fn tcp(&self, line: &Value, fields: &mut Vec<(&'static str, Value)>) {
        let bits = self.number("tcp.flags").as_u64();
        let letters = bits.map(|bits| {
            let set = "FSRPAUEC".chars().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
            set.map(|(_, letter)| letter).collect::<String>()
        });
        fields.push(("flags", json!(letters)));
        fields.push(("seq", self.number("tcp.seq_raw")));
        let has_ack = bits.is_some_and(|bits| bits & 0x10 != 0);
        fields.push(("ack", if has_ack { self.number("tcp.ack_raw") } else { Value::Null }));
        fields.push(("win", self.number("tcp.window_size_value")));
        // tshark shows no length for a first fragment, since the segment continues in others.
        if line.get("frag").is_none() {
            fields.push(("payload", self.number("tcp.len")));
        }
    }

    /// Names from payloads, which both read in complete packets directly after the outermost transport.
    fn names(&self, layers: &[&str], line: &Value, fields: &mut Vec<(&'static str, Value)>) {
        if line.get("err").is_some() || line.get("frag").is_some() {
            return;
        }
        let is_dns_port = |field| DNS_PORTS.contains(&line.get(field).and_then(Value::as_u64));
        match layers {
            [_, "dns" | "mdns" | "llmnr"] if is_dns_port("sport") || is_dns_port("dport") => {
                let name = self.all("dns.qry.name").next();
                // Lines have a dot for the root.
                let name = name.map(|name| if name == "<Root>" { "." } else { name });
                fields.push(("dns", name.into()));
                fields.extend(self.dns(line));
            }
            // tshark shows no fields if the ClientHello continues in another segment.
            ["tcp", "tls"] => fields.extend(self.client_hello()),
            // tshark shows the start of a head that continues in another packet.
            ["tcp", "http"]
                if ["http_method", "http_status"].iter().any(|field| line.get(field).is_some())
                    && !(self.text("http.request.method").is_empty()
                        && self.text("http.response.code").is_empty()) =>
            {
                fields.push(("http_host", self.string("http.host")));
                fields.push(("http_method", self.string("http.request.method")));
                fields.push(("http_status", self.number("http.response.code")));
                // A semicolon also separates several values of tshark.
                let target = Some(self.text("http.request.uri")).filter(|text| !text.contains(';'));
                if let Some(path) = target.filter(|target| target.starts_with('/')) {
                    fields.push(("http_path", json!(path.split('?').next())));
                }
            }
            ["udp", "quic", ..] if !self.text("quic.version").is_empty() => {
                fields.push(("quic", self.string("quic.version")));
                fields.extend(self.client_hello());
            }
            _ => {}
        }
        let has_inner =
            layers.iter().any(|layer| ["ip", "ipv6", "eth", "ah", "wlan"].contains(layer));
        let id = self.text("communityid");
        if !id.is_empty() && (!has_inner || layers[0].starts_with("icmp")) {
            fields.push(("community_id", json!(id)));
        }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        let column = FIELDS.iter().position(|field| *field == name);
        &self.columns[column.unwrap_or_else(|| panic!("{name} is not in FIELDS"))]
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.text(name).split(';').filter(|text| !text.is_empty())
    }

    /// The outermost occurrence.
    pub(super) fn number(&self, name: &str) -> Value {
        self.all(name).next().map_or(Value::Null, number)
    }

    /// The outermost occurrence.
    fn string(&self, name: &str) -> Value {
        self.all(name).next().map_or(Value::Null, Value::from)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        matches!(self.all(name).next(), Some("1" | "True"))
    }
}

fn has_bad_length(line: &Value) -> bool {
    let faults = line.get("err").and_then(Value::as_array);
    faults.is_some_and(|faults| faults.iter().any(|fault| fault == "bad_length"))
}

fn is_extension(layer: &str) -> bool {
    layer == "ah" || layer.starts_with("ipv6.")
}

/// Parses a decimal number, or a hexadecimal one after `0x`.
fn number(text: &str) -> Value {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    json!(number.unwrap_or_else(|error| panic!("{text}: {error}")))
}
