//! The shared heart of sniffer and viewer: frame bytes become a [`Summary`], a summary with its
//! number and time becomes a [`Packet`], and a packet becomes one line of the stream, and back.
//!
//! ```text
//! bytes -> decode -> Summary -> Packet -> line::Writer -> {"type":"pkt",…}
//!                                  ^----- line::read <----'
//! ```
//!
//! No I/O, no unsafe code, no knowledge of sockets, files or pages. Decoding and writing allocate
//! nothing a packet.
//! Decoding is total: any bytes give a summary, and damage is a field of it.
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
//!         r#""src":"02:00:00:00:00:01","dst":"ff:ff:ff:ff:ff:ff","proto":"lldp"}"#,
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
mod grouped;
pub mod line;
mod link_type;
mod packet;
mod payload_names;
mod proto;
pub mod record;
mod timestamp;

pub use address::{Address, Mac};
pub use community_id::CommunityId;
pub use decode::{Decoded, decode, decode_into, decode_with_payload};
pub use grouped::grouped;
pub use link_type::LinkType;
pub use packet::{Direction, Faults, Gso, GsoKind, Packet, Summary, Tcp, VlanIds};
pub use payload_names::{DnsType, PayloadNames};
pub use proto::Proto;
pub use timestamp::Timestamp;
