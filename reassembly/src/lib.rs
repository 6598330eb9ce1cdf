//! Names in messages that several packets contain: a [`NameTracker`] remembers the start of a message
//! until the rest arrives. [`FragmentTracker`] remembers the ports and the bytes of datagrams until all
//! their fragments arrived.
//!
//! QUIC Initial packets are decrypted: their keys are derived from a connection ID, which is not encrypted.
//!
//! The name belongs to the packet that completes the message. Segments may arrive in any order and more
//! than once. If a segment is missing, no name is reported.
//!
//! # Other bytes that look like messages
//!
//! A file that is transferred may contain messages, also at the start of a segment. Where it is not certain
//! that a message begins, what follows the message in the segment has to fit: nothing, or the next record or
//! message. After bytes of another protocol, a ClientHello counts only if its side has sent at most 512
//! bytes since it received something: both sides agreed on TLS.
//!
//! # HTTP
//!
//! A body may look like a message, and so may the text of another protocol. Where the start of a connection
//! was captured, or an HTTP message in it, the lengths in its heads tell where the next message begins, and
//! no other bytes have names. If the start was not captured, the first segment has to begin with a message.
//! Bytes after missing ones that contain a length, and after those of another protocol, have no names of
//! HTTP, until the other side shows where the next message begins: it sent a whole message after it had
//! received all bytes before this one. The body of a response depends on its request. If that is unknown, it
//! may be HEAD: the response has the body that its head describes, unless the bytes after it look like a
//! head. Then, the next message is unknown. A body whose end is unknown extends to the end of the connection.
//!
//! Bytes that the capture omits (a short snap length) are missing ones. SYN, FIN and RST change nothing if
//! their sequence numbers are not possible.
//!
//! # Memory
//!
//! All state has limits:
//!
//! | What | Limit |
//! |---|---|
//! | TCP connections whose next message is expected | 65,536 |
//! | connections with HTTP requests whose response is expected | 65,536 |
//! | TCP connections of which bytes are kept | 8,192, with 16 MiB |
//! | QUIC connections in their handshake | 8,192, with 16 MiB |
//! | DNS questions whose response is expected | 65,536 |
//! | datagrams of which fragments are expected | 16,384, with 16 MiB, for 30 s |
//! | pieces of a datagram that are not consecutive | 64 |
//! | bytes of one message | 64 KiB |
//! | time | 60 s of packet time |
//!
//! At a limit, the oldest entry is removed. [`NameTracker::evicted`] counts the removed connections
//! of which bytes were kept.
//!
//! The crate does no I/O and reads no clock: time is that of the packets.
#![forbid(unsafe_code)]

mod assembler;
mod datagrams;
mod dns;
mod flow;
mod fragments;
mod http;
mod ja4;
mod messages;
mod position;
mod quic;
mod stream;
mod streams;
mod table;
mod tcp;
mod tracker;

pub use dns::{DnsTracker, FoundDns};
pub use fragments::{AssembledPacket, FoundFragment, FragmentTracker};
pub use tracker::NameTracker;
