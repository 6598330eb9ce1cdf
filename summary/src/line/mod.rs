//! The `pkt` record: one packet as one line of JSON, written and parsed. This page specifies the
//! record; [`crate::record`] specifies all others, and `schema/stream.schema.json` is the JSON Schema
//! of both.
//!
//! A line is a JSON object (RFC 8259) in UTF-8 that ends with a line feed. It contains no line feed,
//! no spaces outside strings, and no `null`: a field that does not apply is absent. The fields
//! `type`, `n`, `ts` (or its number), `len` and `proto` are always present. The writer keeps the order of this table;
//! readers must accept any order and ignore fields that they do not know.
//!
//! | field | type | value |
//! |---|---|---|
//! | `type` | string | `pkt`; always the first key |
//! | `n` | integer, ≥ 1 | packet number: 1, 2, 3 … without gaps in one run |
//! | `ts` | string | time of capture, from the kernel or the file: RFC 3339 in UTC with nine fractional digits and `Z`, always 30 bytes |
//! | `ts_ns`, `ts_us`, `ts_ms` | integer, 64 bits | one of them instead of `ts`, with [`TimeUnit`](crate::TimeUnit): the time since 1970-01-01T00:00:00Z, rounded down |
//! | `if` | string | interface name; present in live captures, and for pcapng files that contain it (`if_name`) |
//! | `dir` | string | direction, the kernel's `sll_pkttype` (packet(7)): `in` (to this host), `out` (from this host), `bcast` (broadcast), `mcast` (multicast), `other` (to another host); live only |
//! | `len` | integer, 32 bits | bytes on the wire, including the link header and VLAN tags, as the kernel or the file reports it; in cooked frames (SLL, SLL2), the link header is the cooked one |
//! | `cap` | integer, 32 bits | bytes captured; present if fewer than `len` |
//! | `gso` | integer, 16 bits | segmentation offload: payload bytes of each segment but the last, the kernel's `gso_size`; live only |
//! | `gso_type` | string | what segmentation offload splits or merges, the kernel's `gso_type`: `tcpv4`, `tcpv6`, `udp_l4` (datagrams), `udp` (IP fragments); present with `gso` |
//! | `link` | string | link type, present if not Ethernet: a name such as `raw` or `sll2`, or `linktype-` and the [LINKTYPE_ number](https://www.tcpdump.org/linktypes.html) |
//! | `eth_src`, `eth_dst` | string | MAC addresses in the link header (Ethernet, 802.11; cooked headers have a source only), lower case with colons; with `-e`, otherwise only in packets without `src` and `dst` |
//! | `vlan` | array of integers, 0–4095 | VLAN identifiers (IEEE 802.1Q), outermost first, at most eight |
//! | `tunnel` | string | tunnels around the packet, outermost first, as [`TunnelPath`](crate::TunnelPath) writes them: `vxlan:42/ip`; absent with [`Tunnels::Outer`](crate::Tunnels) |
//! | `outer_src`, `outer_dst` | string | addresses in the outermost IP header, if it is around the tunnel |
//! | `src`, `dst` | string | IPv4 addresses (dotted decimal) or IPv6 addresses (RFC 5952) in the IP header; in ARP the protocol addresses of sender and target |
//! | `sport`, `dport` | integer, 16 bits | ports of TCP, UDP, UDP-Lite, SCTP and DCCP; fragments after the first contain none, and have those of the first one if it was captured before and names or flows are requested |
//! | `proto` | string | innermost protocol decoded: a lower-case name such as `tcp` or `lldp`, or `other` for a number without a name |
//! | `ethertype`, `ip_proto`, `linktype` | integer, 16, 8, 16 bits | one of them with `proto` `other`: the EtherType (in cooked captures also Linux' own numbers below 1,536), the IP protocol number, or the LINKTYPE_ number of a link type that is not decoded |
//! | `ttl` | integer, 8 bits | IPv4 time to live or IPv6 hop limit |
//! | `frag` | integer, 16 bits | fragment offset in bytes, a multiple of 8; present in fragments only, 0 in the first |
//! | `flags` | string | TCP flags that are set, in the order `FSRPAUEC`: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR (RFC 9293, RFC 3168) |
//! | `seq` | integer, 32 bits | TCP sequence number, absolute |
//! | `ack` | integer, 32 bits | TCP acknowledgment number, absolute; present if the ACK flag is set |
//! | `win` | integer, 16 bits | TCP window as in the header, before window scaling |
//! | `payload` | integer, 32 bits | bytes after the transport header, according to the IP length, without padding |
//! | `icmp_type`, `icmp_code` | integer, 8 bits | type and code of ICMP and ICMPv6 |
//! | `icmp_src`, `icmp_dst` | string | addresses in the IP header of the packet that an ICMP or ICMPv6 error quotes |
//! | `icmp_proto` | string | protocol of that packet: a name of `proto` for a number of IP, absent for a number without a name |
//! | `icmp_sport`, `icmp_dport` | integer, 16 bits | ports of that packet; absent if they were not quoted, and in fragments after the first |
//! | `arp_op` | integer, 16 bits | ARP operation: 1 request, 2 reply (RFC 826) |
//! | `dns` | string | name in the first question of a DNS message: labels joined by dots, `.` for the root; in a label, `\.` is a dot, `\\` a backslash and `\255` a byte that is not UTF-8 (RFC 1035, section 5.1); with `--names` |
//! | `dns_type` | string | type of that question, such as `AAAA` or `TYPE65280` (RFC 3597); present with `dns` |
//! | `dns_rcode` | string | code of a DNS response, such as `NXDOMAIN` or `RCODE19`; with `--names` |
//! | `dns_answers` | array of strings | the first eight answers in a DNS message of the types A, AAAA, CNAME, DNAME, NS, PTR (as `dns`), MX, SRV (numbers and name) and TXT; with `--names` |
//! | `dns_time_us` | integer, 64 bits | microseconds from the first DNS question to this response, rounded down; with `--names`, if the question was captured less than 60 seconds before |
//! | `sni` | string | server name in a ClientHello of TLS or QUIC (RFC 6066); with `--names` |
//! | `alpn` | array of strings | application protocols that a ClientHello offers (RFC 7301), in its order, at most eight; with `--names` |
//! | `ech` | `true` | the ClientHello has an encrypted part (RFC 9849), or a client pretends it; `sni` is the outer name; with `--names` |
//! | `ja4` | string | [`Ja4`](crate::Ja4) fingerprint of a ClientHello of TLS or QUIC; with `--ja4` |
//! | `http_method` | string | method of an HTTP/1 request (RFC 9110); with `--names` |
//! | `http_host` | string | Host field of an HTTP/1 request (RFC 9110); with `--names` |
//! | `http_path` | string | path in the target of an HTTP/1 request, without the query, its first 1,024 bytes; absent if the target has none (`*`, `CONNECT`); with `--names` |
//! | `http_status` | integer, 100–999 | status code of an HTTP/1 response (RFC 9110); with `--names` |
//! | `quic` | string | version in a QUIC long header (RFC 8999), such as `0x00000001`; with `--names` |
//! | `community_id` | string | [Community ID](https://github.com/corelight/community-id-spec) 1 of the flow; with `--community-id`. See [`CommunityId::of`](crate::CommunityId::of) for fragments |
//! | `err` | array of strings | faults of the packet, in this order: `truncated` (the capture cut off a header), `bad_length` (a length field contradicts another one or the frame, or the file has more bytes of the frame than `len`), `bad_header` (a field has a forbidden value), `unsupported` (not decoded further), `bad_time` (the time in the file is before 1677 or after 2262; `ts` is the nearest possible one), `no_time` (the file has no time for the packet; `ts` is 1970-01-01) |
//! | `rtx` | string | a TCP retransmission: `fast`, `timeout` or `spurious`; this and the next fields are added to written lines with `--tcp-analysis`, and ignored here |
//! | `ooo`, `dup_ack`, `zero_window`, `window_full`, `keep_alive` | `true` | findings about the TCP segment |
//! | `reset` | `refused`, `no_data` | the TCP segment resets a connection without data |
//! | `unseen` | integer, 32 bits | bytes that the segment acknowledges and that were not captured |
//! | `rtt_us` | integer, 32 bits | microseconds since the segment that this one acknowledges |
//! | `handshake_us` | integer, 32 bits | in the segment that ends the handshake: microseconds since the SYN |
//! | `tag_…` | string | the user's [`Tags`](crate::Tags), in their order |
//!
//! Bytes from the network that are not valid UTF-8 appear as U+FFFD. Characters that control the display
//! of text are escaped: C0 and C1 controls, DEL, line separators, and controls of the text direction.
//!
//! Lines of before version 1 was released have MAC addresses in `src` and `dst` of packets without IP
//! addresses, `ip-proto-253`, `0x8899` or `linktype-147` in `proto`, and `host` for `http_host`. The
//! parsers here accept them.
//!
//! Packets with several layers that could fill a field, and packets with wrong lengths:
//!
//! - VLAN tags, MPLS labels (RFC 3032) and PPPoE sessions (RFC 2516) are skipped: the line describes
//!   the packet inside them.
//! - In a tunnel that is entered (see [`TunnelKind`](crate::TunnelKind)), the line describes the innermost
//!   packet, except for `len`, `cap`, `link`, `tunnel` and the outer addresses. `eth_src`, `eth_dst` and
//!   `vlan` are those of the innermost Ethernet header. A tunnel is entered only where its header and the
//!   beginning of the packet inside are valid, and not in fragments. Otherwise, and with
//!   [`Tunnels::Outer`](crate::Tunnels), the line describes the outer headers, and `proto` is the tunnel
//!   protocol.
//! - An ICMP error is described by its own headers; `icmp_src`, `icmp_dst`, `icmp_proto` and the ports next to
//!   them describe the packet that it quotes.
//! - IPv6 extension headers and the IPsec authentication header are skipped in any order: `proto` is
//!   the protocol that follows them.
//! - If the IP length is zero (segmentation offload, jumbograms) or exceeds the frame, `payload`
//!   extends to the end of the frame. The second case is also a `bad_length`.
//! - If a header is incomplete, the line contains the fields that were captured.
//!
//! ```
//! let line = br#"{"type":"pkt","n":7,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"proto":"stp"}"#;
//! let summary::line::Record::Packet(packet) = summary::line::parse(line).unwrap() else { panic!() };
//! assert_eq!((packet.n, packet.summary.len), (7, 60));
//! ```
//!
//! Inside the module, `json` defines the line for serde. `write` is the fast writer, and `scan` the
//! fast tokenizer that `parse` and `excerpt` share; `cursor` reads its bytes. Property tests compare the fast paths with serde.
//! `fields` parses objects with other field orders for callers that interpret the values themselves.

mod cursor;
mod excerpt;
mod fields;
mod json;
mod parse;
mod scan;
mod write;

pub use excerpt::{Excerpt, ExcerptReader};
pub use fields::{FieldValue, PacketFields, fields, string};
pub use parse::{ParseError, Record, parse, parse_packet};
pub use write::{Writer, write_n};

#[cfg(test)]
mod tests;
