//! The viewer's workers: each stores the columns of its own parts of the files and answers queries about
//! them.
//!
//! ```text
//! file slices -> lines or packets -> Excerpt -> Columns -> Shard -> answers
//! ```
//!
//! This crate is a separate WebAssembly module: the page contains neither readers nor stored packets. Its
//! own module uses this crate for the messages and the values in them: the feature `module` adds the
//! export to JavaScript.

pub use viewer_model::{filter, selection, time, wire};
pub use viewer_store::{address_names, columns, findings, flow, query, shard};

pub mod lines;
pub mod load;
pub mod message;

#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod web;
