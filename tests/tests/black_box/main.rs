//! The whole, from outside: the real sniffer in network namespaces, the real page in Chromium.
//!
//! One binary, and few tests: what a unit test beside the code can show belongs there. Add here
//! what only the kernel, a browser or a file system can show.
#![expect(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod capture;
mod controls;
mod differential;
mod documentation;
mod engine;
mod errors;
mod examples;
mod files;
mod filters;
mod isolation;
mod laws;
mod link_types;
mod open_files;
mod page;
mod resilience;
mod rotation;
mod tcpdump_parity;
mod view_values;
mod views;
