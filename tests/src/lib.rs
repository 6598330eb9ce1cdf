//! Code shared by the black-box tests and the benchmarks: the sniffer as a process, strict readers of
//! its output, frames and their sender, browsers, the page in Chromium, the corpus of captures.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

pub mod browser;
pub mod capinfos;
pub mod chromium;
pub mod code_blocks;
pub mod corpus;
pub mod files;
pub mod firefox;
pub mod frames;
pub mod growing;
pub mod packet_file;
pub mod page;
pub mod process;
pub mod process_tree;
pub mod reference;
#[cfg(test)]
mod regressions;
pub mod relay;
pub mod served;
pub mod stream;
pub mod terminal;
pub mod veth;
