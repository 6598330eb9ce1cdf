//! Reads compressed files and capture files (pcap, pcapng) as bytes arrive.
//!
//! ```text
//! bytes of a file -> decompression -> text
//!                                  -> packets, in the form that the caller asks for
//! ```
//!
//! This crate is a separate WebAssembly module, which workers load when they open the first file that is
//! not plain text. Their own module uses this crate for detecting formats and for the values that the
//! module returns: the feature `module` adds the exports to JavaScript.

mod capture;
mod compression;
mod observed;
mod packed;
mod reader;
mod record;
mod section;

#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod web;

pub use compression::Compression;
pub use observed::{ObservedValues, unpack_observed};
pub use packed::unpack;
pub use reader::{ContentSink, Form, OpenFile, ReadFile, open};
pub use record::{FileRecord, MAX_FRAME_LEN, RawFrame};

use summary::capture_file::is_capture_file;

/// The number of bytes at the start of a file that tell its format.
pub const START_LEN: usize = 8;

/// Returns true if a file that begins with these bytes is plain text: neither compressed nor a capture
/// file.
pub fn is_text(start: &[u8]) -> bool {
    Compression::of(start).is_none() && !is_capture_file(start)
}
