//! Project automation, and the code that the test and bench crates share with it: build paths, the
//! site's web server, network namespaces, traffic. `cargo xtask demo` compiles this crate first, so code
//! that only tests or benchmarks need belongs in their crates.
//!
//! No product crate depends on this one.
#![expect(clippy::print_stdout, reason = "a tool for people reports its progress")]

pub mod build;
pub mod capture;
pub mod deb;
pub mod debian;
pub mod demo;
pub mod dist;
pub mod fuzz;
mod licenses;
pub mod namespace;
pub mod python;
pub mod random;
pub mod reproducible;
pub mod sample;
pub mod scenario;
pub mod server;
pub mod test;
pub mod traffic;
pub mod wait;
