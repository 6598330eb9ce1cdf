//! The state of all connections.

use crate::dns::Questions;
use crate::flow::FlowKey;
use crate::ja4;
use crate::quic::QuicConnections;
use crate::tcp::{Readable, TcpStreams};
use summary::{ClientHello, DnsMessage, Ja4, PayloadNames, Summary, Timestamp};

/// Finds names in packets, in the order in which they were captured. The packets of a connection have to
/// be passed to the same tracker.
#[derive(Debug, Default)]
pub struct NameTracker {
    has_ja4: bool,
    tcp: TcpStreams,
    quic: QuicConnections,
    questions: Questions,
    /// The message that the last packet completed.
    message: Vec<u8>,
    /// Buffer for names that are not contiguous in a payload.
    buf: String,
    /// The same for names in a message.
    hello_buf: String,
}

impl NameTracker {
    /// A tracker that also computes fingerprints of ClientHellos, if `has_ja4` is set.
    pub fn new(has_ja4: bool) -> Self {
        Self { has_ja4, ..Self::default() }
    }

    /// The names in a packet, and in messages that it completes. `interface` is where it was captured.
    pub fn parse<'a>(
        &'a mut self,
        ts: Timestamp,
        interface: Option<&str>,
        summary: &Summary<'_>,
        payload: &'a [u8],
    ) -> PayloadNames<'a> {
        let Self { has_ja4, tcp, quic, questions, message, buf, hello_buf } = self;
        let Some(key) = FlowKey::new(interface, summary).filter(|_| summary.frag.is_none()) else {
            return PayloadNames::default();
        };
        if summary.proto.name() == "tcp" {
            let readable = tcp.add_readable(key, ts, summary, payload);
            let (bytes, is_assembled, mut names) = match readable {
                None => return PayloadNames::default(),
                Some(Readable::Assembled(bytes)) => {
                    *message = bytes;
                    (&message[..], true, PayloadNames::parse_assembled(summary, message, buf))
                }
                Some(Readable::Own { may_be_http }) => {
                    let names = PayloadNames::parse(summary, payload, buf);
                    let names = if may_be_http { names } else { names.without_http() };
                    (payload, false, names)
                }
            };
            names.ja4 = has_ja4.then(|| ja4_in_records(bytes)).flatten();
            let dns = || match is_assembled {
                true => DnsMessage::in_assembled(summary, bytes),
                false => DnsMessage::in_packet(summary, bytes),
            };
            questions.add_names(key, ts, dns, &mut names);
            return names;
        }
        let mut names = PayloadNames::parse(summary, payload, buf);
        let dns = || DnsMessage::in_packet(summary, payload);
        questions.add_names(key, ts, dns, &mut names);
        let is_greased = payload.first().is_some_and(|first| first & 0xc0 == 0x80);
        if names.quic.is_none() && (names.dns.is_some() || !is_greased) {
            return names;
        }
        let (hello, version) = quic.add(key, ts, payload);
        names.quic = names.quic.or(version);
        if let Some(hello) = hello {
            *message = hello;
            names.add_client_hello(message, hello_buf);
            if *has_ja4 {
                let hello = ClientHello::from_message(message);
                names.ja4 = hello.and_then(|hello| ja4::fingerprint(&hello, 'q'));
            }
        }
        names
    }

    /// Number of connections with the start of a message that were removed because of a limit.
    pub fn evicted(&self) -> u64 {
        self.tcp.evicted() + self.quic.evicted()
    }
}

/// The fingerprint of the ClientHello at the front of a TCP stream.
fn ja4_in_records(bytes: &[u8]) -> Option<Ja4> {
    ClientHello::in_records(bytes, |hello| ja4::fingerprint(hello, 't')).flatten()
}
