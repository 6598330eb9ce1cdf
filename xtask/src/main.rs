//! `cargo xtask`: words in, one of the library's jobs out.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use xtask::{bench, build, capture, demo, test};

/// The project's automation.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, capture a few seconds of real traffic, and show it in the browser
    Demo(demo::Options),
    /// Build the static site in target/site, ready to copy to any host
    Site,
    /// Run all checks and all tests; sets up what they need
    Test,
    /// Measure, beside the peers, what the README tells
    Bench(bench::Options),
    /// Run the tests in the namespaces that this program was started in
    #[command(hide = true)]
    TestHere,
    /// Capture traffic of this program's own in the namespace it was started in
    #[command(hide = true)]
    CaptureHere {
        out: PathBuf,
        #[arg(long)]
        seconds: Option<f64>,
    },
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Site => build::site().map(drop),
        Task::Test => test::run(),
        Task::Bench(options) => bench::run(&options),
        Task::TestHere => test::here(),
        Task::CaptureHere { out, seconds } => capture::here(&out, seconds),
    }
}
