//! What `cargo xtask dist` builds, used as after an installation: the static sniffer in an empty
//! container, and the Debian package on a system.
//!
//! `cargo xtask test --packages` builds both and runs these tests, which need root. Other test runs
//! leave them out.

mod container;
mod package;
mod system;

use std::fs;
use std::path::Path;

/// Copies a file that `cargo xtask dist` builds.
fn copy_built(from: &Path, to: &Path) {
    assert!(from.is_file(), "{} is missing: cargo xtask test --packages builds it", from.display());
    fs::copy(from, to).unwrap();
}
