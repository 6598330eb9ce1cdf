//! Follows a source that grows: requests its bytes from a web server for the page, and shows the state of
//! the connection and of the run.
//!
//! The server answers requests for the bytes from an offset on:
//!
//! - 206: bytes. If they begin after the requested offset, the server no longer has those before.
//! - 204: there is nothing new yet.
//! - 416: the same, or the source has ended.
//!
//! Static servers do that for a file that another program extends; `sniffer --serve` does it for a
//! running capture. Local files are read through a handle of the File System Access API.
//!
//! This crate is a separate WebAssembly module, which the page loads when it follows the first source.
//! The page's own module uses only [`Notice`]: the feature `module` adds the exports to JavaScript.

mod answer;
mod lag;
mod notice;
mod run;
mod status;

pub use answer::{Action, Answer, Backoff, SourceKind};
pub use lag::Lag;
pub use notice::Notice;
pub use run::{Counters, End, Run};
pub use status::{Connection, Item, Shown, items};

#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod web;
