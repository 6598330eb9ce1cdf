//! What the workers of the viewer keep and count, and the words for it that the page shares.
//!
//! ```text
//! Packet or Excerpt -> Columns -> Shard: marks of what is selected, counts -> Answer, merged
//! text <-> Expr -> Matcher -> marks
//! ```
//!
//! A crate of its own because it is compiled for speed, and the rest of the page for size.

pub mod axis;
pub mod clock;
pub mod columns;
pub mod density;
pub mod filter;
pub mod flows;
pub mod intern;
pub mod order;
pub mod protocol;
pub mod query;
pub mod scale;
pub mod selection;
pub mod shard;
pub mod wire;
