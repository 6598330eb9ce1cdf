//! One connection: its packets, the payload of both sides in the order in which it was sent, and the sequence
//! numbers over time.
//!
//! ```text
//! packets of a part, reread by a worker -> ConnectionRecord -> Packet -> Connection -> Stream -> Transcript -> DOM
//!                                                                            -> Sequence -> Scene -> canvas
//! ```
//!
//! A worker rereads the packets that match the addresses and ports of a connection. The page passes them on
//! as they come, in the order of the files. [`Connections`] tells apart the connections that have used the
//! same ports one after the other, and [`Connection::transcript`] puts the payload in order.
//!
//! This crate is part of the module of the inspector, which is loaded when the first packet or connection is
//! shown: both decode packets. The feature `module` adds the exports to JavaScript. Everything except
//! `web` is plain code over values, tested without a browser.
#![forbid(unsafe_code)]

mod connection;
mod connections;
mod packet;
mod page;
mod plot;
mod record;
mod sequence;
mod stream;
mod text;
mod transcript;

pub use connection::{Connection, Endpoint, Entry, Numbers, Side};
pub use connections::Connections;
pub use packet::{Packet, Payload};
pub use page::{Page, Slice};
pub use plot::{Overlay, Plot};
pub use record::{ConnectionRecord, Limits};
pub use sequence::{Finding, Point, Sequence, Values};
pub use stream::{Piece, Stream};
pub use text::{hex, printable};
pub use transcript::{Block, Content, Transcript};

#[cfg(test)]
mod tests;

#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod web;
