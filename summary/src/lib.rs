//! Packet decoding and the output format, shared by the sniffer and the viewer.
//!
//! ```text
//! capture file -> capture_file::Reader -> frame bytes
//! frame bytes -> decode -> Summary -> Packet -> line::Writer -> {"type":"pkt",…}
//!                                        ^------ line::parse <-----'
//! ```
//!
//! - [`decode`](decode()) turns the bytes of a frame into a [`Summary`]. It accepts any bytes: faults are a
//!   field of the summary, not an error.
//! - [`inspect`](inspect()) lists the layers and fields of a frame, with the bits of each.
//! - [`Packet`] adds what only the capturing side knows: number, time, interface, direction.
//! - [`line`](mod@line) specifies, writes and parses the line of a packet; [`record`] has all other
//!   records of the output.
//! - [`RecordFormat`] gives all records tags and the form of their times.
//! - [`capture_file`] reads and writes pcap and pcapng.
//! - [`PayloadNames`] and [`CommunityId`] are computed on request, from the payload and the flow.
//!
//! The crate does no I/O, reads no clock and contains no unsafe code. Decoding and writing do not
//! allocate memory per packet.
//!
//! ```
//! use summary::{LinkType, Packet, Timestamp, decode, line};
//!
//! let frame = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xcc];
//! let ts = Timestamp::from_ns(1_763_866_418_123_456_789);
//! let packet = Packet {
//!     interface: Some("eth0".into()),
//!     ..Packet::new(1, ts, decode(LinkType::ETHERNET, &frame, 14))
//! };
//! let mut buffer = Vec::new();
//! line::Writer::default().write(&packet, &mut buffer);
//! assert_eq!(
//!     String::from_utf8_lossy(&buffer),
//!     concat!(
//!         r#"{"type":"pkt","n":1,"ts":"2025-11-23T02:53:38.123456789Z","if":"eth0","len":14,"#,
//!         r#""eth_src":"02:00:00:00:00:01","eth_dst":"ff:ff:ff:ff:ff:ff","#,
//!         r#""proto":"lldp"}"#,
//!         "\n"
//!     )
//! );
//! assert_eq!(line::parse(&buffer).unwrap(), line::Record::Packet(packet));
//! ```
#![forbid(unsafe_code)]

mod address;
pub mod capture_file;
mod community_id;
mod decode;
mod digits;
mod fragment;
mod grouped;
mod header_details;
mod inspect;
pub mod line;
mod link_type;
mod observer;
mod packet;
mod payload_names;
mod proto;
pub mod record;
mod record_format;
mod tcp_options;
mod terminal;
mod timestamp;
mod tunnel;

pub use address::{Address, Mac};
pub use community_id::CommunityId;
pub use decode::{Decoded, Tunnels, decode, decode_into, decode_with_details, decode_with_payload};
pub use fragment::Fragment;
pub use grouped::grouped;
pub use header_details::HeaderDetails;
pub use inspect::{Field, Layer, inspect};
pub use link_type::LinkType;
pub use packet::{Direction, Faults, Gso, GsoKind, IcmpQuote, Packet, Summary, Tcp, VlanIds};
pub use payload_names::{
    ClientHello, DnsCode, DnsMessage, DnsType, Extent, HttpFraming, HttpHead, HttpStart, Ja4,
    PayloadNames, QuicPacket, QuicPacketKind, StreamStart, take_variable_int,
};
pub use proto::{Proto, ProtoNumber};
pub use record_format::{RecordFormat, TagError, Tags, TimeUnit};
pub use tcp_options::TcpOptions;
pub use terminal::{Printable, is_display_control, write_json};
pub use timestamp::Timestamp;
pub use tunnel::{TunnelKind, TunnelPath};
