//! The state of all connections.

use crate::flow::FlowKey;
use crate::quic::QuicConnections;
use crate::tcp::{TcpStreams, is_cut};
use summary::{Extent, PayloadNames, StreamStart, Summary, Timestamp};

/// Finds names in packets, in the order in which they were captured. The packets of a connection have to
/// be passed to the same tracker.
#[derive(Debug, Default)]
pub struct NameTracker {
    tcp: TcpStreams,
    quic: QuicConnections,
    /// The message that the last packet completed.
    message: Vec<u8>,
    /// Buffer for names that are not contiguous in a payload.
    buf: String,
    /// The same for names in a message.
    hello_buf: String,
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
        let Self { tcp, quic, message, buf, hello_buf } = self;
        let Some(key) = FlowKey::new(interface, summary).filter(|_| summary.frag.is_none()) else {
            return PayloadNames::parse(summary, payload, buf);
        };
        if summary.proto.name() == "tcp" {
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
        let mut names = PayloadNames::parse(summary, payload, buf);
        if names.quic.is_some()
            && let Some(hello) = quic.add(key, ts, payload)
        {
            *message = hello;
            names.add_client_hello(message, hello_buf);
        }
        names
    }

    /// Number of connections with the start of a message that were given up because of a limit.
    pub fn evicted(&self) -> u64 {
        self.tcp.evicted() + self.quic.evicted()
    }
}
