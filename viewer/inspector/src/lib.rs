//! The packet inspector of the page: the layers and fields of a packet beside its bytes.
//!
//! ```text
//! frame -> summary::inspect -> Content -> Grid -> DOM
//! line  -> fields by layer  -> Content ---------> DOM
//! ```
//!
//! This crate is a separate WebAssembly module, which `main.js` loads when the first packet is shown.
//! Most visitors never inspect a packet, so the first load of the page stays small. Everything except
//! `web` is plain code over values, tested without a browser.

mod content;
mod copy;
mod grid;
mod line_layers;

pub use content::{Content, Node};
pub use copy::CopyFormat;
pub use grid::{Grid, ROW_LEN, Row, Segment};

// The view of connections is exported, too.
#[cfg(target_arch = "wasm32")]
use viewer_connection as _;

#[cfg(target_arch = "wasm32")]
mod web;
