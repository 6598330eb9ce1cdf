//! Opens captures in the browser.
//!
//! ```text
//! file slices -> workers: lines -> Summary -> Columns -> bins | density -> merge -> Scene -> canvas
//! DOM event -> Event -> App::update (the only mutation) -> next frame
//! ```
//!
//! One wasm file serves the page and its workers. Each worker keeps the columns of its own part of
//! the file and answers queries about them; the page merges the small answers and draws. Everything
//! but `web` is plain code over values, tested without a browser; `web` knows the DOM and does no
//! arithmetic about data.

pub mod app;
pub mod chart;
pub mod columns;
pub mod density;
pub mod histogram;
pub mod lines;
pub mod load;
pub mod message;
pub mod nearest;
pub mod protocol;
pub mod query;
pub mod scale;
pub mod scene;
pub mod text;

#[cfg(target_arch = "wasm32")]
mod web;
