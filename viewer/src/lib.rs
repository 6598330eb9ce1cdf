//! The viewer: opens captures in the browser.
//!
//! ```text
//! answers of the workers -> merge -> Scene -> canvas
//! DOM event -> Event -> App::update (the only mutation) -> next frame
//! ```
//!
//! This crate is the page's WebAssembly module. The workers (`viewer-worker`) read the files, store the
//! packets and answer queries about them; the page merges the answers and draws. Everything except `web`
//! is plain code over values and tested without a browser. `web` uses the DOM and does not compute
//! anything about the data.

pub use viewer_model::{
    axis, filter, linear_scale, partial_sort, protocol, scene, selection, service_names, text,
    ticks, time, wire,
};
pub use viewer_store::{
    address_names, columns, conversations, density, flow, intern, query, shard, tally,
};
pub use viewer_worker::{load, message};

pub mod app;
pub mod chart;
pub mod column_widths;
pub mod frame_list;
pub mod history;
pub mod layout;
pub mod link;
pub mod momentum;
pub mod number_list;
pub mod scroll_extent;
pub mod settings;
pub mod table_columns;

#[cfg(target_arch = "wasm32")]
mod web;
