//! Vocabulary of the viewer: quantities, filters and selections, their text forms, and drawings as data.
//!
//! ```text
//! Quantity, Axis, Bins: what charts show      Zone: time formats      Class: protocol colors
//! filter text <-> Expr -> Selection           Wire: messages as bytes
//! Scene: a drawing as data
//! ```
//!
//! The page and its workers share these types. This crate does not know packets, files or the DOM:
//! `viewer-store` evaluates expressions and counts, `viewer` draws.

pub mod axis;
pub mod filter;
pub mod linear_scale;
pub mod partial_sort;
pub mod protocol;
pub mod scene;
pub mod selection;
pub mod service_names;
pub mod text;
pub mod ticks;
pub mod time;
pub mod wire;
