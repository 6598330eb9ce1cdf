//! `cargo xtask`: parses the arguments and runs one task of the library.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use xtask::{build, capture, demo, dist, fuzz, reproducible, test};

/// Build, show, test and measure this project
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, capture traffic for a few seconds, and serve it in the viewer
    Demo(demo::Options),
    /// Build the static site in target/site, ready for any web server
    Site,
    /// Build the sniffer in target/dist, stripped, with its symbols in a separate file
    Dist(dist::Options),
    /// Run all checks and tests; as root on Debian, install missing packages
    Test(test::Options),
    /// Fuzz everything that reads untrusted bytes; needs nightly Rust and cargo-fuzz
    Fuzz(fuzz::Options),
    /// Run the unit tests of the capture ring, which has unsafe code, in Miri; needs nightly Rust
    Miri,
    /// Build sniffer and site of the last commit twice, and check that all files are the same
    Reproducible,
    /// Run the benchmarks; `cargo xtask bench --help` lists them
    #[command(disable_help_flag = true)]
    Bench {
        /// Arguments of the bench program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Take the screenshots of README and docs with Chromium
    Screenshots,
    /// Run the tests in the namespaces of this process
    #[command(hide = true)]
    TestHere {
        #[arg(default_value = "workspace")]
        suite: test::Suite,
    },
    /// Capture generated traffic on loopback in the namespaces of this process
    #[command(hide = true)]
    CaptureHere {
        out: PathBuf,
        #[arg(long)]
        seconds: f64,
    },
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Demo(options) => demo::run(&options),
        Task::Site => build::site().map(drop),
        Task::Dist(options) => dist::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Miri => test::miri(),
        Task::Reproducible => reproducible::run(),
        Task::Bench { args } => {
            build::run(build::cargo(["run", "--package", "bench", "--"]).args(args))
        }
        Task::Screenshots => {
            build::site()?;
            let example = ["run", "--package", "tests", "--example", "screenshots"];
            build::run(&mut build::cargo(example))
        }
        Task::TestHere { suite } => suite.run_here(),
        Task::CaptureHere { out, seconds } => capture::here(&out, seconds),
    }
}
