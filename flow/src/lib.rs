//! Flows: the packets between two endpoints, and the state of TCP connections.
//!
//! ```text
//! Summary, TcpOptions, PayloadNames -> Observation -> FlowTable::add -> Marks of the packet
//!                                                                   -> Flow, EndReason
//! ```
//!
//! A flow consists of the packets with the same addresses, ports, protocol, interface, VLANs and innermost
//! tunnel, in both directions. Each packet belongs to exactly one flow, so the sums of all flows are the
//! sums of all packets. Packets without IP addresses have their MAC addresses; fragments after the first
//! have the ports that the caller knows. The numbers of GTP and L2TP tunnels differ by direction and are
//! ignored.
//!
//! [`FlowTable`] limits the number of flows and reports each flow when it ends, and long ones at an
//! interval. Time is that of the packets: the crate does no I/O and reads no clock.
//!
//! # Memory
//!
//! A flow has entries in a few slabs: 88 bytes for each flow, 36 for each side of a connection, 28 for IPv6
//! and MAC addresses, 56 for DNS, and 16 for a measurement of the round-trip time while it lasts. The index
//! takes 8 to 11 bytes for each flow.
//! Names and findings about lost segments are allocated when the first one comes. `tests/memory.rs`
//! measures all of it.
//!
//! # Analysis of TCP
//!
//! [`Marks`] says what the analysis found in a packet. It sees a connection from one point, also from its
//! middle on, and the capture may have gaps:
//!
//! - A segment repeats bytes that were captured before: a retransmission. It is *spurious* if the receiver
//!   had acknowledged all of them, *fast* if duplicate or selective acknowledgments asked for it, and
//!   otherwise due to a *time-out*.
//! - A segment fills a hole in the sequence numbers: it arrives out of order, or repeats a segment that
//!   was lost before the point of capture. Timestamps decide (RFC 7323). If they are equal or absent,
//!   segments that come within the handshake's round trip (3 ms if it was not captured) are out of order.
//! - The receiver acknowledges bytes that were not captured: a gap in the capture, not a loss.
//!   [`TcpCounts::unseen_bytes`] counts them.
//!
//! Round-trip times are measured between a segment and the acknowledgment of its last byte, one segment
//! at a time. A retransmission, or an earlier segment out of order, makes the measurement ambiguous (RFC
//! 6298, section 3). It then counts only if a timestamp proves which segment was acknowledged.
//!
//! ```
//! use flow::{EndReason, FlowTable, Limits, Observation};
//! use summary::{LinkType, PayloadNames, Summary, TcpOptions, Timestamp};
//!
//! let mut flows = FlowTable::new(Limits::default());
//! let summary = Summary::new(LinkType::ETHERNET, 60, 60);
//! let names = PayloadNames::default();
//! let time = Timestamp::from_ns(1);
//! let packet = Observation::new(time, None, &summary, &TcpOptions::default(), &names);
//! flows.add(&packet, &mut |_, _| unreachable!());
//! let mut ended = Vec::new();
//! flows.finish(&mut |flow, reason| ended.push((flow.counts()[0].packets, reason)));
//! assert_eq!(ended, [(1, EndReason::End)]);
//! ```
#![forbid(unsafe_code)]

mod counts;
mod extra;
mod flow;
mod halves;
mod index;
mod key;
mod list;
mod observation;
mod rtt;
mod scope;
mod slab;
mod slot;
mod store;
mod table;
mod tagged;
mod tcp;
#[cfg(test)]
mod tests;
mod times;

pub use counts::{Counts, Dns, RttStats, TcpCounts};
pub use flow::{EndReason, Flow, Names};
pub use key::Endpoint;
pub use observation::{DnsMessage, Observation, Segment};
pub use scope::Scope;
pub use table::{FlowTable, Limits, OnEnd};
pub use tcp::{Marks, Reset, Retransmission};
