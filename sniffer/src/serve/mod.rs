//! `--serve`: the page of the viewer and the running capture over HTTP.
//!
//! ```text
//! lines -> Output -> LineBuffer -> CaptureService -> http::Server (a separate thread)
//! ```
//!
//! Everything is below a path that only the printed URL contains.

mod frame_list;
mod host;
mod listener;
mod live_view;
mod page;
mod range;
mod reachable;
mod service;
mod token;

pub(crate) use listener::Listener;
pub(crate) use live_view::LiveView;
pub(crate) use page::is_embedded;
