//! The commands of `docs/`, executed by `cargo xtask test`, which installs what they need, and alone by
//! `cargo xtask test --recipes`.
//!
//! `tests::code_blocks` describes how a page says what is run. `engines` runs the blocks of a page on
//! the capture of `captures`, and `answers` counts independently of all engines.

mod answers;
mod captures;
mod engines;
mod pages;
mod shippers;
mod spark;
