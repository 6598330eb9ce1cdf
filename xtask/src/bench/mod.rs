//! `cargo xtask bench`: figures beside the peers', in one run, as tables for the README.
//!
//! Only ratios travel: machines differ, and this one may be busy.

mod lines;
mod live;
mod read;
mod usage;
mod viewer;

use anyhow::Result;
use std::path::PathBuf;

use crate::{build, debian};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Which bench; all of them without it
    #[arg(value_enum)]
    bench: Option<Bench>,
}

/// A bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bench {
    /// Frames of 60 bytes at the sender's full speed through veth
    Live,
    /// One large capture file
    Read,
    /// Millions of lines in the page, beside chart libraries
    Viewer,
}

/// Runs the bench, or all.
///
/// # Errors
///
/// Where a program is missing or fails.
pub fn run(options: &Options) -> Result<()> {
    debian::ensure(debian::FOR_BENCHES)?;
    build::site()?;
    println!("{}", usage::machine()?);
    for (bench, measure) in [
        (Bench::Live, live::run as fn() -> Result<()>),
        (Bench::Read, read::run),
        (Bench::Viewer, viewer::run),
    ] {
        if options.bench.is_none_or(|wanted| wanted == bench) {
            measure()?;
        }
    }
    Ok(())
}

/// Where benches keep what they make.
fn directory() -> Result<PathBuf> {
    let directory = build::target().join("bench");
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}
