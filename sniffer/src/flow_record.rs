//! The `flow` record: docs/flows.md specifies its fields.

use flow::{EndReason, Flow, TcpCounts};
use serde::ser::{Serialize, SerializeMap, Serializer};
use summary::{Address, Ja4};

use crate::counts::MAX_SAFE_INTEGER;

/// A flow with the reason for its report.
pub(crate) struct FlowRecord<'a> {
    pub(crate) flow: &'a Flow<'a>,
    pub(crate) reason: EndReason,
}

/// The names of a value of both directions: from the source, and to it.
type Names = [&'static str; 2];

/// A count of TCP, which a record without it has 0 times.
type TcpField = (Names, fn(&TcpCounts) -> u64);

const TCP_FIELDS: [TcpField; 16] = [
    (["rtx", "rev_rtx"], TcpCounts::rtx),
    (["rtx_fast", "rev_rtx_fast"], |tcp| tcp.rtx_fast.into()),
    (["rtx_spurious", "rev_rtx_spurious"], |tcp| tcp.rtx_spurious.into()),
    (["ooo", "rev_ooo"], |tcp| tcp.out_of_order.into()),
    (["dup_acks", "rev_dup_acks"], |tcp| tcp.dup_acks.into()),
    (["zero_windows", "rev_zero_windows"], |tcp| tcp.zero_windows.into()),
    (["zero_window_us", "rev_zero_window_us"], |tcp| tcp.zero_window_ns / 1_000),
    (["window_full", "rev_window_full"], |tcp| tcp.window_full.into()),
    (["keep_alives", "rev_keep_alives"], |tcp| tcp.keep_alives.into()),
    (["resets", "rev_resets"], |tcp| tcp.resets.into()),
    (["ece", "rev_ece"], |tcp| tcp.ece.into()),
    (["unseen", "rev_unseen"], |tcp| tcp.unseen_bytes),
    (["rtt_samples", "rev_rtt_samples"], |tcp| tcp.rtt.samples.into()),
    (["rtt_us", "rev_rtt_us"], |tcp| tcp.rtt.mean_us().unwrap_or(0)),
    (["rtt_min_us", "rev_rtt_min_us"], |tcp| tcp.rtt.min_us.into()),
    (["rtt_max_us", "rev_rtt_max_us"], |tcp| tcp.rtt.max_us.into()),
];

impl Serialize for FlowRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let (start, last) = self.flow.times();
        map.serialize_entry("type", "flow")?;
        map.serialize_entry("ts", &last)?;
        map.serialize_entry("start", &start)?;
        self.write_key(&mut map)?;
        map.serialize_entry("part", &(u64::from(self.flow.reports()) + 1))?;
        map.serialize_entry("reason", self.reason.name())?;
        let names = [["packets", "bytes", "payload"], ["rev_packets", "rev_bytes", "rev_payload"]];
        for (names, counts) in names.iter().zip(self.flow.counts()) {
            let values = [counts.packets, counts.bytes, counts.payload];
            for (name, value) in names.iter().zip(values) {
                map.serialize_entry(name, &value.min(MAX_SAFE_INTEGER))?;
            }
        }
        for (name, counts) in ["ce", "rev_ce"].into_iter().zip(self.flow.counts()) {
            entry(&mut map, name, Some(counts.ce).filter(|ce| 0 < *ce))?;
        }
        self.write_tcp(&mut map)?;
        self.write_names(&mut map)?;
        map.end()
    }
}

impl FlowRecord<'_> {
    fn write_key<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (scope, ends) = (self.flow.scope(), [self.flow.source(), self.flow.destination()]);
        entry(map, "if", scope.interface.as_deref())?;
        if !scope.vlan.as_slice().is_empty() {
            map.serialize_entry("vlan", scope.vlan.as_slice())?;
        }
        if let Some((kind, id)) = scope.tunnel {
            let id = id.map(|id| format!(":{id}")).unwrap_or_default();
            map.serialize_entry("tunnel", &format!("{}{id}", kind.name()))?;
        }
        for (end, (ip, mac)) in ends.iter().zip([("src", "eth_src"), ("dst", "eth_dst")]) {
            let name = if matches!(end.address, Some(Address::Mac(_))) { mac } else { ip };
            entry(map, name, end.address.map(|address| address.to_string()))?;
        }
        entry(map, "sport", ends[0].port)?;
        entry(map, "dport", ends[1].port)?;
        map.serialize_entry("proto", scope.proto.name())?;
        if let Some(number) = scope.proto.number() {
            map.serialize_entry(number.field(), &number.value())?;
        }
        Ok(())
    }

    fn write_tcp<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let Some(counts) = self.flow.tcp() else { return Ok(()) };
        entry(map, "handshake_us", self.flow.handshake_us())?;
        let ([mss, rev_mss], [scale, rev_scale]) = (self.flow.mss(), self.flow.window_scale());
        entry(map, "mss", mss)?;
        entry(map, "rev_mss", rev_mss)?;
        entry(map, "window_scale", scale)?;
        entry(map, "rev_window_scale", rev_scale)?;
        entry(map, "sack", self.flow.has_sack().then_some(true))?;
        entry(map, "ecn", self.flow.has_ecn().then_some(true))?;
        for (side, counts) in counts.into_iter().enumerate() {
            for (names, value) in TCP_FIELDS {
                // A round trip can take less than a microsecond.
                let is_time = names[0].starts_with("rtt_") && 0 < counts.rtt.samples;
                let value = value(&counts).min(MAX_SAFE_INTEGER);
                entry(map, names[side], Some(value).filter(|value| 0 < *value || is_time))?;
            }
        }
        Ok(())
    }

    fn write_names<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        if let Some(dns) = self.flow.dns() {
            map.serialize_entry("dns_questions", &dns.questions)?;
            map.serialize_entry("dns_responses", &dns.responses)?;
            map.serialize_entry("dns_failures", &dns.failures)?;
            entry(map, "dns_time_us", dns.time.mean_us())?;
            entry(map, "dns_time_max_us", dns.time.mean_us().map(|_| dns.time.max_us))?;
        }
        if let Some(names) = self.flow.names() {
            entry(map, "sni", names.sni.as_deref())?;
            entry(map, "ja4", names.ja4.as_ref().map(Ja4::as_str))?;
            entry(map, "http_host", names.http_host.as_deref())?;
        }
        Ok(())
    }
}

/// Writes a field if it has a value.
fn entry<M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}
