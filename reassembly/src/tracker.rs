//! The state of all connections.

use crate::flow::FlowKey;
use crate::tcp::{TcpStreams, is_cut};
use summary::{Extent, PayloadNames, StreamStart, Summary, Timestamp};

/// Finds names in packets, in the order in which they were captured. The packets of a connection have to
/// be passed to the same tracker.
#[derive(Debug, Default)]
pub struct NameTracker {
    tcp: TcpStreams,
    /// The message that the last packet completed.
    message: Vec<u8>,
    /// Buffer for names that are not contiguous in a payload.
    buf: String,
}

impl NameTracker {
    /// The names in a packet, and in messages that it completes. `interface` is where it was captured.
    pub fn parse<'a>(
        &'a mut self,
        ts: Timestamp,
        interface: Option<&str>,
        summary: &Summary<'_>,
        payload: &'a [u8],
    ) -> PayloadNames<'a> {
        let Self { tcp, message, buf } = self;
        if summary.proto.name() == "tcp"
            && summary.frag.is_none()
            && let Some(key) = FlowKey::new(interface, summary)
        {
            if let Some(assembled) = tcp.add(key, ts, summary, payload) {
                *message = assembled;
                return PayloadNames::parse_assembled(summary, message, buf);
            }
            let start = StreamStart::new(summary, false);
            // The packet that completes the message has its names.
            if Extent::of(payload, start) == Extent::Incomplete && !is_cut(summary, payload) {
                return PayloadNames::default();
            }
        }
        PayloadNames::parse(summary, payload, buf)
    }

    /// Number of connections with the start of a message that were given up because of a limit.
    pub fn evicted(&self) -> u64 {
        self.tcp.evicted()
    }
}
