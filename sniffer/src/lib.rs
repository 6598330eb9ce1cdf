//! A packet capture for Linux: frames from an AF_PACKET ring, or from capture files, become lines
//! of JSON (`summary` has the format).
//!
//! ```text
//! ring -> Block -> Frame -> decode -> Summary -> line -> output
//! ```
//!
//! This library serves the binary beside it; what others may use is in the crate `summary`.

mod capture;
mod cli;
mod dump;
mod error;
mod file;
mod filter;
mod interfaces;
mod line_formatter;
mod live;
mod output;
mod progress;
mod signals;
mod stream;

pub use error::Error;

use cli::Action;

/// Runs the command line of the process. A usage error exits with code 2.
///
/// # Errors
///
/// If something prevents the run from completing; what was captured until then is in the output.
/// A closed standard output is no error.
pub fn run() -> Result<(), Error> {
    let result = match cli::parse()? {
        Action::Generate(what) => cli::generate(what),
        Action::ListInterfaces => interfaces::list(),
        Action::DumpFilter(config) => dump::run(&config),
        Action::Capture(config) => live::run(&config),
        Action::ReadFiles(config) => file::run(&config),
    };
    match result {
        Err(error) if error.is_closed_pipe() => Ok(()),
        result => result,
    }
}
