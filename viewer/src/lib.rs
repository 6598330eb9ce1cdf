//! The viewer: opens captures in the browser.
//!
//! ```text
//! file slices -> workers: lines -> Excerpt -> Columns -> Shard -> answers -> merge -> Scene -> canvas
//! DOM event -> Event -> App::update (the only mutation) -> next frame
//! ```
//!
//! One WebAssembly module serves the page and its workers. Each worker stores the columns of its own
//! parts of the files and answers queries about them; the page merges the answers and draws. Everything
//! except `web` is plain code over values and tested without a browser. `web` uses the DOM and does not
//! compute anything about the data.

pub use viewer_model::{
    axis, filter, linear_scale, partial_sort, protocol, selection, service_names, ticks, time, wire,
};
pub use viewer_store::{
    address_names, columns, conversations, density, flow, intern, query, shard, tally,
};

pub mod app;
pub mod chart;
pub mod column_widths;
pub mod history;
pub mod layout;
pub mod lines;
pub mod link;
pub mod load;
pub mod message;
pub mod scene;
pub mod scroll_extent;
pub mod settings;
pub mod table_columns;
pub mod text;

#[cfg(target_arch = "wasm32")]
mod web;
