//! What `cargo xtask dist` builds, used as after an installation: the static sniffer in an empty
//! container, the Debian package on a system, and the files that describe containers and workflows.
//!
//! `cargo xtask test --packages` builds the programs and runs these tests, which need root.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failing test panics")]

mod container;
mod package;
mod pipelines;
mod system;
