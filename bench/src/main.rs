//! `cargo xtask bench`: measures the sniffer and the viewer against comparable programs in one run,
//! and prints tables for the documentation.
//!
//! Only the ratios are comparable between machines, and only within one run.
#![expect(clippy::print_stdout, reason = "the tables are the output")]

mod lines;
mod live;
mod paced;
mod page;
mod read;
mod soak;
mod usage;
mod viewer;

use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;
use xtask::{build, debian};

/// Measure the sniffer and the viewer against comparable programs
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench")]
struct Options {
    /// Which benchmark to run [default: all but soak]
    #[arg(value_enum)]
    bench: Option<Bench>,
    /// Length of the soak
    #[arg(long, default_value_t = soak::DEFAULT_MINUTES, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// Run only the page, at this rate in packets per second
    #[arg(long, conflicts_with = "bench", value_parser = clap::value_parser!(u32).range(100..))]
    rate: Option<u32>,
}

/// A benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Bench {
    /// Live capture through veth at the sender's full speed
    Live,
    /// The page of `sniffer --serve` at steady rates
    Page,
    /// Reading one large capture file
    Read,
    /// Millions of lines in the viewer and in chart libraries
    Viewer,
    /// A long capture at a steady rate with rotation and compression
    Soak,
}

fn main() -> Result<()> {
    let options = Options::parse();
    debian::ensure(debian::FOR_BENCHES)?;
    // The sniffer contains the page.
    build::page()?;
    build::sniffer()?;
    if options.bench == Some(Bench::Soak) {
        println!("{}", usage::machine()?);
        return soak::run(options.minutes);
    }
    if let Some(rate) = options.rate {
        println!("{}", usage::machine()?);
        return page::run_at(rate);
    }
    if options.bench.is_none_or(|wanted| wanted == Bench::Viewer) {
        build::sample()?;
    }
    println!("{}", usage::machine()?);
    for (bench, measure) in [
        (Bench::Live, live::run as fn() -> Result<()>),
        (Bench::Page, page::run),
        (Bench::Read, read::run),
        (Bench::Viewer, viewer::run),
    ] {
        if options.bench.is_none_or(|wanted| wanted == bench) {
            measure()?;
        }
    }
    Ok(())
}

/// Directory for the files that benchmarks create.
fn directory() -> Result<PathBuf> {
    let directory = build::target().join("bench");
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}
