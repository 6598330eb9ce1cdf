//! `--metrics`: counters of a live capture for Prometheus.
//!
//! ```text
//! packets -> Traffic -> text (every second) -> Page -> Server (a separate thread)
//! ```
//!
//! The number of series depends on the number of captured interfaces only.

mod histogram;
mod server;
mod text;
mod traffic;

pub(crate) use server::{Page, Server};
pub(crate) use text::{InterfaceCounts, RunState, write};
pub(crate) use traffic::Traffic;
