//! The text format of Prometheus, version 0.0.4.

use flow::Retransmission;
use std::fmt::Write as _;
use summary::Timestamp;

use super::histogram::Histogram;
use super::traffic::{PROTOCOLS, Traffic};

/// The counters of one interface since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct InterfaceCounts {
    pub(crate) name: String,
    /// Packets written, or left out by `--only`.
    pub(crate) out: u64,
    /// Packets that the filter rejected in the sniffer.
    pub(crate) skip: u64,
    /// Packets that the kernel dropped because the ring was full.
    pub(crate) drop: u64,
    /// How often the ring was full.
    pub(crate) freeze: u64,
    /// Sum of the lengths of `out`.
    pub(crate) bytes: u64,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RunState {
    pub(crate) start: Timestamp,
    /// Whether all layers of the sandbox are in effect.
    pub(crate) is_sandboxed: bool,
    /// Size of the ring of each interface in bytes.
    pub(crate) ring_bytes: u64,
    pub(crate) flows: u64,
    pub(crate) evicted_flows: u64,
}

/// The text of all series.
pub(crate) fn write(state: &RunState, interfaces: &[InterfaceCounts], traffic: &Traffic) -> String {
    let mut text = Text::default();
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    text.family("sniffer_info", "gauge", "The program.");
    text.sample("sniffer_info", &version, 1);
    text.family("sniffer_start_time_seconds", "gauge", "Unix time of the start of the capture.");
    text.sample("sniffer_start_time_seconds", "", state.start.ns() / 1_000_000_000);
    text.family(
        "sniffer_sandbox_complete",
        "gauge",
        "1 if all layers of the sandbox are in effect.",
    );
    text.sample("sniffer_sandbox_complete", "", u8::from(state.is_sandboxed));
    text.family("sniffer_ring_bytes", "gauge", "Size of the ring buffer of each interface.");
    text.sample("sniffer_ring_bytes", "", state.ring_bytes);
    write_interfaces(&mut text, interfaces);
    write_traffic(&mut text, traffic);
    text.family("sniffer_flows", "gauge", "Flows that have not ended.");
    text.sample("sniffer_flows", "", state.flows);
    text.family(
        "sniffer_evicted_flows_total",
        "counter",
        "Flows that ended because there were too many.",
    );
    text.sample("sniffer_evicted_flows_total", "", state.evicted_flows);
    text.0
}

fn write_interfaces(text: &mut Text, interfaces: &[InterfaceCounts]) {
    type Family = (&'static str, &'static str, fn(&InterfaceCounts) -> u64);
    const FAMILIES: [Family; 6] = [
        (
            "sniffer_received_packets_total",
            "Packets received: captured, filtered and dropped.",
            |i| i.out + i.skip + i.drop,
        ),
        ("sniffer_captured_packets_total", "Packets captured.", |i| i.out),
        ("sniffer_captured_bytes_total", "Lengths of the packets captured.", |i| i.bytes),
        ("sniffer_filtered_packets_total", "Packets that the filter rejected.", |i| i.skip),
        ("sniffer_dropped_packets_total", "Packets that the kernel dropped.", |i| i.drop),
        ("sniffer_ring_full_total", "How often the ring buffer was full.", |i| i.freeze),
    ];
    for (name, help, value) in FAMILIES {
        text.family(name, "counter", help);
        for interface in interfaces {
            let label = format!("interface=\"{}\"", escape(&interface.name));
            text.sample(name, &label, value(interface));
        }
    }
}

fn write_traffic(text: &mut Text, traffic: &Traffic) {
    let families = [
        ("sniffer_protocol_packets_total", "Captured packets by protocol."),
        ("sniffer_protocol_bytes_total", "Lengths of the captured packets by protocol."),
    ];
    for (index, (name, help)) in families.into_iter().enumerate() {
        text.family(name, "counter", help);
        for (protocol, (packets, bytes)) in PROTOCOLS.iter().zip(traffic.protocols) {
            text.sample(name, &format!("protocol=\"{protocol}\""), [packets, bytes][index]);
        }
    }
    let name = "sniffer_tcp_retransmissions_total";
    text.family(name, "counter", "Retransmitted TCP segments.");
    for (kind, count) in Retransmission::ALL.into_iter().zip(traffic.retransmissions) {
        text.sample(name, &format!("kind=\"{}\"", kind.name()), count);
    }
    for (name, help, count) in [
        ("sniffer_tcp_out_of_order_total", "TCP segments out of order.", traffic.out_of_order),
        (
            "sniffer_tcp_zero_windows_total",
            "TCP segments with a window of 0.",
            traffic.zero_windows,
        ),
        ("sniffer_dns_failures_total", "DNS responses with an error.", traffic.dns_failures),
    ] {
        text.family(name, "counter", help);
        text.sample(name, "", count);
    }
    text.histogram("sniffer_tcp_rtt_seconds", "Time to the acknowledgment of data.", &traffic.rtt);
    text.histogram("sniffer_dns_response_seconds", "Time to the DNS response.", &traffic.dns_time);
}

/// The text so far.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to memory cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in histogram.cumulative() {
            self.sample(&bucket, &format!("le=\"{bound}\""), count);
        }
        self.sample(&bucket, "le=\"+Inf\"", histogram.total());
        self.sample(&format!("{name}_sum"), "", histogram.sum_text());
        self.sample(&format!("{name}_count"), "", histogram.total());
    }
}

/// A label's value; an interface may have nearly any name.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_do_not_depend_on_traffic() {
        let interface = InterfaceCounts { name: "a\"\\b".into(), ..Default::default() };
        let empty =
            write(&RunState::default(), std::slice::from_ref(&interface), &Traffic::default());
        let interface = InterfaceCounts { out: 7, skip: 2, drop: 1, ..interface };
        let mut traffic = Traffic::default();
        traffic.rtt.add(300);
        let text = write(&RunState::default(), &[interface], &traffic);
        assert_eq!(text.lines().count(), empty.lines().count());
        let label = "{interface=\"a\\\"\\\\b\"}";
        assert!(text.contains(&format!("\nsniffer_received_packets_total{label} 10\n")), "{text}");
        assert!(text.contains("\nsniffer_tcp_rtt_seconds_bucket{le=\"0.00025\"} 0\n"));
        assert!(text.contains("\nsniffer_tcp_rtt_seconds_bucket{le=\"0.0005\"} 1\n"));
        assert!(text.contains("\nsniffer_tcp_rtt_seconds_sum 0.000300\n"));
    }
}
