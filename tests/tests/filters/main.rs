//! The filter language beside libpcap: its test cases, tcpdump itself, and the kernel.
#![expect(clippy::unwrap_used, reason = "a test says what failed by panicking")]

mod cases;
mod differential;
mod grammar;
mod names;
mod random;
mod tcpdump;
