//! The browser side of the viewer: DOM events become [`crate::app::Event`]s, scenes become pixels,
//! messages travel between the page and its workers. It does no arithmetic about packets.
//!
//! ```text
//! api -> controls -> open, follow -> page -> render, worker_pool
//! ```

mod address;
mod api;
mod clipboard;
mod connection;
mod controls;
mod dom;
mod environment;
mod export;
mod follow;
mod growing_file;
mod open;
mod page;
mod probe_queue;
mod probes;
mod refresh;
mod render;
mod served_connection;
mod served_packets;
mod visibility;
mod waiters;
mod worker_pool;
