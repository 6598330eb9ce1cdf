//! Compares the filter compiler with libpcap: its test cases, and tcpdump on the corpus.
#![expect(clippy::unwrap_used, reason = "a test reports failures by panicking")]

mod cases;
mod differential;
mod grammar;
mod names;
mod random;
mod tcpdump;
