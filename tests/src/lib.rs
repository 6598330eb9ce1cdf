//! What the black-box tests and the benchmarks share: the sniffer as a process, strict readers of
//! its output, frames and their sender, Chromium and the page in it, the corpus of captures.
#![expect(clippy::unwrap_used, reason = "a failing test panics")]

pub mod capinfos;
pub mod chromium;
pub mod corpus;
pub mod files;
pub mod frames;
pub mod page;
pub mod process;
pub mod reference;
#[cfg(test)]
mod regressions;
pub mod stream;
pub mod veth;
