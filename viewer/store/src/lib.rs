//! Storage and queries of the viewer's workers, and merging of their answers on the page.
//!
//! ```text
//! Packet or Excerpt -> Columns -> Shard: selection masks, counters -> Answer, merged on the page
//! Expr -> Matcher -> selection masks
//! Columns -> FlowDelta -> FlowTable: conversations across all parts
//! ```
//!
//! This crate does not know files, messages or the DOM: `viewer` reads lines and capture files and
//! draws the answers. It is a crate of its own because it is compiled for speed, while the rest of
//! the page is compiled for size.

pub mod address_names;
pub mod columns;
pub mod conversations;
pub mod density;
pub mod findings;
pub mod flow;
pub mod health;
pub mod intern;
pub mod query;
pub mod refusals;
pub mod shard;
pub mod tally;

mod bin_lookup;
mod elapsed;
mod lasso_mask;
mod matcher;
