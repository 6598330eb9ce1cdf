//! One packet, one line: the `pkt` record of the stream, written and read.
//!
//! | field | type | value |
//! |---|---|---|
//! | `type` | string | `pkt`, always the first key |
//! | `n` | int | 1, 2, 3 … in this run |
//! | `ts` | string | RFC 3339, UTC, nine fractional digits and `Z` |
//! | `if` | string | interface name (live; files only where pcapng names it) |
//! | `dir` | string | `in`, `out`, `bcast`, `mcast`, `other` (live) |
//! | `len` | int | bytes on the wire, VLAN tags included |
//! | `cap` | int | bytes captured, only where smaller than `len` |
//! | `gso`, `gso_type` | int, string | of a packet that segmentation offload cuts or joined: bytes a segment, and `tcpv4`, `tcpv6`, `udp_l4` (datagrams) or `udp` (fragments) (live) |
//! | `link` | string | link type, only where it is not Ethernet |
//! | `eth_src`, `eth_dst` | string | MAC addresses, with `-e` |
//! | `vlan` | int[] | VLAN ids, outermost first |
//! | `src`, `dst` | string | IP addresses; of ARP the protocol addresses; else the MAC addresses |
//! | `sport`, `dport` | int | ports; absent in later fragments |
//! | `proto` | string | innermost protocol decoded |
//! | `ttl` | int | TTL or hop limit |
//! | `frag` | int | fragment offset in bytes, only on fragments |
//! | `flags` | string | TCP: those set of `FSRPAUEC`, in this order |
//! | `seq`, `ack`, `win` | int | TCP header as on the wire; `ack` only with the ACK flag |
//! | `payload` | int | bytes after the transport header by the IP length |
//! | `icmp_type`, `icmp_code` | int | ICMP and ICMPv6 |
//! | `arp_op` | int | ARP operation |
//! | `dns`, `dns_type` | string | name and type of a DNS message's first question, with `--names` |
//! | `sni` | string | server name of a TLS client's hello, with `--names` |
//! | `host` | string | host of an HTTP/1 request, with `--names` |
//! | `quic` | string | version of a QUIC long header, `0x00000001`, with `--names` |
//! | `community_id` | string | Community ID v1 of the flow, with `--community-id` |
//! | `err` | string[] | `truncated`, `bad_length`, `bad_header`, `unsupported` |
//!
//! What the fields mean where a packet has more than one layer that could fill them, or lies:
//!
//! - VLAN tags, MPLS label stacks (RFC 3032) and PPPoE sessions (RFC 2516) are passed over: the
//!   packet inside is described. Tunnels (GRE, IP in IP, VXLAN, MAC in MAC and the like) are not
//!   entered: the outer headers are described, and `proto` is the tunnel's. Of ICMP errors the outer
//!   packet is described.
//! - IPv6 extension headers and AH are passed over, in any order; `proto` is what follows them.
//! - `payload` is counted by the IP length. Where that is zero (segmentation offload, jumbograms) or
//!   more than the frame has, it goes up to the end of the frame; the latter is a `bad_length`.
//! - Of a header that the capture or a length cuts, the fields that are there are told.
//!
//! The fields come in this order. Absent means "does not apply"; there is never a `null`.
//!
//! ```
//! let line = br#"{"type":"pkt","n":7,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"proto":"stp"}"#;
//! let summary::line::Record::Packet(packet) = summary::line::parse(line).unwrap() else { panic!() };
//! assert_eq!((packet.n, packet.summary.len), (7, 60));
//! ```

mod excerpt;
mod fields;
mod json;
mod parse;
mod scan;
mod write;

pub use excerpt::{Excerpt, ExcerptReader};
pub use fields::{PacketFields, fields, string};
pub use parse::{ParseError, Record, parse};
pub use write::{Writer, write_n};

#[cfg(test)]
mod tests;
