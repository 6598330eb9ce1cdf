//! The packet inspector of the page: the layers and fields of a packet beside its bytes.
//!
//! ```text
//! frame -> summary::inspect -> Content -> Grid -> DOM
//! line  -> fields by layer  -> Content ---------> DOM
//! ```
//!
//! This is a WebAssembly module of its own: most visits never inspect a packet, and the first load of
//! the page stays small. `main.js` loads it when the first packet is shown. Everything except `web` is
//! plain code over values, tested without a browser.

mod content;
mod copy;
mod grid;
mod line_layers;

pub use content::{Content, Node};
pub use copy::CopyFormat;
pub use grid::{Grid, ROW_LEN, Row, Segment};

#[cfg(target_arch = "wasm32")]
mod web;
