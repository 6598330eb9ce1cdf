//! A strict reader of the sniffer's output, with its own types so that writer and tests cannot share
//! a mistake. Each line is validated against the JSON schema too.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let path = xtask::build::root().join("schema/stream.schema.json");
    let schema = std::fs::read(path).expect("the schema");
    let schema: Value = serde_json::from_slice(&schema).expect("a schema in JSON");
    jsonschema::validator_for(&schema).expect("a valid schema")
});

/// A whole stream.
#[derive(Debug)]
pub struct Stream {
    /// The first line.
    pub meta: Value,
    /// The packets.
    pub packets: Vec<Packet>,
    /// The `stats` records.
    pub stats: Vec<Counts>,
    /// The interface of each of `stats`.
    pub stats_of: Vec<Option<String>>,
    /// The events.
    pub events: Vec<Value>,
    /// The flows.
    pub flows: Vec<Value>,
    /// The totals of the `end` record.
    pub end: Counts,
    /// Why the capture ended.
    pub reason: String,
}

/// A packet. Unknown fields and wrong types are errors.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "field names of the format")]
pub struct Packet {
    pub r#type: String,
    pub n: u64,
    pub ts: String,
    pub r#if: Option<String>,
    pub dir: Option<String>,
    pub len: u64,
    pub cap: Option<u64>,
    pub gso: Option<u16>,
    pub gso_type: Option<String>,
    pub link: Option<String>,
    pub eth_src: Option<String>,
    pub eth_dst: Option<String>,
    pub vlan: Option<Vec<u16>>,
    pub tunnel: Option<String>,
    pub outer_src: Option<String>,
    pub outer_dst: Option<String>,
    pub src: Option<String>,
    pub dst: Option<String>,
    pub sport: Option<u16>,
    pub dport: Option<u16>,
    pub proto: String,
    pub ethertype: Option<u16>,
    pub ip_proto: Option<u8>,
    pub linktype: Option<u16>,
    pub ttl: Option<u8>,
    pub frag: Option<u16>,
    pub flags: Option<String>,
    pub seq: Option<u32>,
    pub ack: Option<u32>,
    pub win: Option<u16>,
    pub payload: Option<u32>,
    pub icmp_type: Option<u8>,
    pub icmp_code: Option<u8>,
    pub icmp_src: Option<String>,
    pub icmp_dst: Option<String>,
    pub icmp_proto: Option<String>,
    pub icmp_sport: Option<u16>,
    pub icmp_dport: Option<u16>,
    pub arp_op: Option<u16>,
    pub dns: Option<String>,
    pub dns_type: Option<String>,
    pub dns_rcode: Option<String>,
    pub dns_answers: Option<Vec<String>>,
    pub dns_time_us: Option<u64>,
    pub sni: Option<String>,
    pub alpn: Option<Vec<String>>,
    pub ech: Option<bool>,
    pub ja4: Option<String>,
    pub http_method: Option<String>,
    pub http_host: Option<String>,
    pub http_path: Option<String>,
    pub http_status: Option<u16>,
    pub quic: Option<String>,
    pub community_id: Option<String>,
    pub rtx: Option<String>,
    pub ooo: Option<bool>,
    pub dup_ack: Option<bool>,
    pub zero_window: Option<bool>,
    pub window_full: Option<bool>,
    pub keep_alive: Option<bool>,
    pub reset: Option<String>,
    pub unseen: Option<u32>,
    pub rtt_us: Option<u32>,
    pub handshake_us: Option<u32>,
    pub err: Option<Vec<String>>,
}

/// The counters of `stats` and `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "field names of the format")]
pub struct Counts {
    pub recv: u64,
    pub drop: u64,
    pub out: u64,
    pub skip: u64,
    pub bytes: u64,
    pub names_evicted: Option<u64>,
}

impl Stream {
    /// Reads a stream and checks everything that the format guarantees.
    ///
    /// # Panics
    ///
    /// If it violates the format.
    pub fn read(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        assert!(text.ends_with('\n'), "the last line is complete");
        let mut stream = Self {
            meta: Value::Null,
            packets: Vec::new(),
            stats: Vec::new(),
            stats_of: Vec::new(),
            events: Vec::new(),
            flows: Vec::new(),
            end: Counts::default(),
            reason: String::new(),
        };
        for (index, line) in text.lines().enumerate() {
            let value: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            check_schema(&value, line);
            let kind = value["type"].as_str().unwrap_or_default().to_owned();
            assert!(line.starts_with(&format!("{{\"type\":\"{kind}\"")), "`type` is first: {line}");
            assert_eq!(index == 0, kind == "meta", "`meta` is first: {line}");
            assert!(stream.reason.is_empty(), "nothing comes after `end`: {line}");
            match &kind[..] {
                "meta" => stream.meta = value,
                "pkt" => stream.packets.push(
                    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")),
                ),
                "stats" => {
                    stream.stats_of.push(value["if"].as_str().map(str::to_owned));
                    stream.stats.push(serde_json::from_value(value).unwrap());
                }
                "event" => stream.events.push(value),
                "flow" => stream.flows.push(value),
                "end" => {
                    stream.reason = value["reason"].as_str().unwrap().to_owned();
                    stream.end = serde_json::from_value(value).unwrap();
                }
                other => panic!("a record of type `{other}`"),
            }
        }
        assert!(!stream.reason.is_empty(), "`end` is last");
        stream.check_counts();
        stream
    }

    /// Sum of the `stats` of one interface.
    pub fn interface_stats(&self, interface: &str) -> Counts {
        let mut sum = Counts::default();
        let stats = self.stats_of.iter().zip(&self.stats);
        for (_, counts) in stats.filter(|(name, _)| name.as_deref() == Some(interface)) {
            sum.recv += counts.recv;
            sum.drop += counts.drop;
            sum.out += counts.out;
            sum.skip += counts.skip;
            sum.bytes += counts.bytes;
            sum.names_evicted = sum_of(sum.names_evicted, counts.names_evicted);
        }
        sum
    }

    /// The kinds of all events, in order.
    pub fn event_kinds(&self) -> Vec<&str> {
        self.events.iter().filter_map(|event| event["event"].as_str()).collect()
    }

    /// Checks that the flows of one or several files of a run have exactly their packets.
    ///
    /// # Panics
    ///
    /// If the sums differ.
    pub fn check_flows(streams: &[Self]) {
        let mut expected: BTreeMap<[String; 4], [u64; 3]> = BTreeMap::new();
        let mut sums = expected.clone();
        let add = |sums: &mut BTreeMap<[String; 4], [u64; 3]>, key, values: [u64; 3]| {
            let sum = sums.entry(key).or_default();
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        };
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        for packet in streams.iter().flat_map(|stream| &stream.packets) {
            let [src, dst] = match (&packet.src, &packet.dst) {
                (None, None) => [&packet.eth_src, &packet.eth_dst],
                (src, dst) => [src, dst],
            };
            let payload = packet.payload.unwrap_or(0).into();
            let key = [text(src), text(dst), packet.proto.clone(), text(&packet.r#if)];
            add(&mut expected, key, [1, packet.len, payload]);
        }
        for flow in streams.iter().flat_map(|stream| &stream.flows) {
            let text = |names: &[&str]| {
                let values = names.iter().filter_map(|name| flow[*name].as_str());
                values.map(str::to_owned).next().unwrap_or_default()
            };
            let [src, dst] = [text(&["src", "eth_src"]), text(&["dst", "eth_dst"])];
            let (proto, interface) = (text(&["proto"]), text(&["if"]));
            let ways = [(&src, &dst, ""), (&dst, &src, "rev_")];
            for (from, to, prefix) in ways {
                let number = |name| flow[format!("{prefix}{name}")].as_u64().unwrap();
                let values = ["packets", "bytes", "payload"].map(number);
                let key = [from.clone(), to.clone(), proto.clone(), interface.clone()];
                if 0 < values[0] {
                    add(&mut sums, key, values);
                }
            }
        }
        assert_eq!(sums, expected, "flows add up to packets");
    }

    fn check_counts(&self) {
        let end = self.end;
        let sum = |of: fn(&Counts) -> u64| self.stats.iter().map(of).sum::<u64>();
        let sums = Counts {
            recv: sum(|counts| counts.recv),
            drop: sum(|counts| counts.drop),
            out: sum(|counts| counts.out),
            skip: sum(|counts| counts.skip),
            bytes: sum(|counts| counts.bytes),
            names_evicted: self.stats.iter().map(|counts| counts.names_evicted).fold(None, sum_of),
        };
        assert_eq!(sums, end, "`stats` add up to `end`");
        assert_eq!(end.recv, end.out + end.skip + end.drop, "{end:?}");
        assert_eq!(end.out, self.packets.len() as u64);
        assert_eq!(end.bytes, self.packets.iter().map(|packet| packet.len).sum::<u64>());
        if let (Some(first), Some(last)) = (self.packets.first(), self.packets.last()) {
            // A rotated file continues the numbers of the previous one.
            let numbers = end.out..=end.out + end.skip;
            assert!(numbers.contains(&(last.n - (first.n - 1))), "the last number");
        }
        for counts in &self.stats {
            let Counts { recv, drop, out, skip, .. } = counts;
            assert_eq!(*recv, out + skip + drop, "{counts:?}");
        }
        assert!(self.packets.windows(2).all(|pair| pair[0].n < pair[1].n), "numbers increase");
    }
}

/// The sum of numbers that may be absent.
fn sum_of(sum: Option<u64>, number: Option<u64>) -> Option<u64> {
    number.map_or(sum, |number| Some(sum.unwrap_or(0) + number))
}

/// Validates a line against the schema.
///
/// # Panics
///
/// If it is invalid.
pub fn check_line(line: &str) {
    let value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    check_schema(&value, line);
}

fn check_schema(value: &Value, line: &str) {
    if let Err(error) = SCHEMA.validate(value) {
        panic!("invalid by the schema: {line}: {error}");
    }
}
