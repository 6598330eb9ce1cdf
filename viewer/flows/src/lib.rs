//! The analysis of TCP connections in the page, with the engine of the sniffer.
//!
//! ```text
//! lines or packets of a file, in order -> Observation -> FlowTable -> Marks, by part of the file
//! ```
//!
//! The packets of a file are spread over the workers, but a connection needs all of its packets in
//! order. One worker therefore reads the whole file once more and passes its content to an [`Analysis`].
//! The findings then go to the workers that hold the packets.
//!
//! This crate is a separate WebAssembly module, which a worker loads for the first analysis. The module
//! of the workers uses this crate for the forms of its input and output: the feature `module` adds the
//! exports to JavaScript.

mod analysis;
mod batch;
mod line;

#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod web;

pub use analysis::{Analysis, Analyze, findings};
pub use batch::push_line;
pub use line::marks;
