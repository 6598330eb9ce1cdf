//! What the workers of the viewer keep and count.
//!
//! ```text
//! Packet or Excerpt -> Columns -> Shard: marks of what is selected, counts -> Answer, merged
//! Expr -> Matcher -> marks
//! ```
//!
//! A crate of its own because it is compiled for speed, and the rest of the page for size.

mod cells;
pub mod columns;
pub mod density;
pub mod flows;
pub mod intern;
mod lasso;
mod matcher;
pub mod query;
pub mod shard;
