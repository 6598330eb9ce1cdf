//! What the black-box tests share: the real sniffer as a process, strict readers of its stream,
//! frames and senders.
#![expect(clippy::unwrap_used, reason = "a test says what failed by panicking")]

pub mod browser;
pub mod cable;
pub mod files;
pub mod frames;
pub mod plain;
pub mod process;
pub mod stream;
