//! `--metrics`: counters of a live capture for Prometheus.
//!
//! ```text
//! packets -> Traffic -> text (every second) -> Page -> http::Server (a separate thread)
//! ```
//!
//! The number of series depends on the number of captured interfaces only.

mod histogram;
mod page;
mod text;
mod traffic;

pub(crate) use page::Page;
pub(crate) use text::{InterfaceCounts, RunState, write};
pub(crate) use traffic::Traffic;
