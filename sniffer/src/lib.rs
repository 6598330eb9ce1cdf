//! A packet capture for Linux: frames from an AF_PACKET ring, or from capture files, become lines
//! of JSON (`summary` has the format).
//!
//! ```text
//! ring -> Block -> Frame -> decode -> Summary -> line -> output
//! ```
//!
//! This library serves the binary beside it; what others may use is in the crate `summary`.

mod capture;
pub mod cli;
mod describe;
mod error;
mod file;
mod filter;
mod interfaces;
mod live;
mod output;
mod progress;
mod signals;
mod stream;

pub use error::Error;

use cli::{Cli, Job};

/// Does what the command line says.
///
/// # Errors
///
/// Where something prevents it; what was captured until then is in the output. A reader of
/// standard output that went away is no error.
pub fn run(cli: &Cli) -> Result<(), Error> {
    let filter = cli.filter()?;
    let done = match cli.job(filter.as_deref()) {
        Job::Dump(job) => filter::dump(&job),
        Job::Generate(what) => cli::generate(what),
        Job::ListInterfaces => interfaces::list(),
        Job::Live(job) => live::run(&job),
        Job::Read(job) => file::run(&job),
    };
    match done {
        Err(error) if error.is_closed_pipe() => Ok(()),
        done => done,
    }
}
