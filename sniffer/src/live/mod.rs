//! A live run: captures on interfaces and writes what arrives, until something ends it.
//!
//! ```text
//! start -> Run { PacketSource -> Accounting -> Stream }
//! ```
//!
//! [`start`](start()) opens everything and hands it to a `Run`, the event loop, which owns it. For each
//! interface the run has a `PacketSource`, the packets, and a `CapturedInterface`, its state and
//! counters. `Accounting` owns the latter and the stream.

mod accounting;
mod all_links;
mod captured_interface;
mod config;
mod drops;
mod fanout;
mod interface_names;
mod link;
mod notices;
mod opener;
mod packet_event;
mod packet_source;
mod run;
mod start;

pub(crate) use config::Config;
pub(crate) use start::start;
