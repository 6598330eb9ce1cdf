//! What the viewer measures and how that is said, for the page and its workers alike.
//!
//! ```text
//! Value, Axis, Bins: what is measured, how it is cut    Zone: times    Class: colours' names
//! text <-> Expr -> Selection                            Wire: values as bytes
//! ```
//!
//! Nothing here looks at packets: that is `store`, which is compiled for speed, and this for size.

pub mod axis;
pub mod clock;
pub mod filter;
pub mod order;
pub mod protocol;
pub mod scale;
pub mod selection;
pub mod wire;
