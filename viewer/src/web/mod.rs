//! The browser side of the viewer: DOM events become [`crate::app::Event`]s, scenes become pixels,
//! messages travel between the page and its workers. It does no arithmetic about packets.
//!
//! ```text
//! api -> controls -> open -> page -> render, worker_pool
//! worker: chunks -> loader -> shard -> answers
//! ```

mod address;
mod api;
mod canvas;
mod chunks;
mod clipboard;
mod controls;
mod dom;
mod download;
mod environment;
mod export;
mod formats;
mod open;
mod page;
mod panic;
mod probe_queue;
mod render;
mod visibility;
mod waiters;
mod worker;
mod worker_pool;
