//! Packet capture for Linux: frames from an AF_PACKET ring buffer, or from capture files, become
//! JSON lines. The crate `summary` specifies the format. `--pcapng` also writes the frames.
//!
//! ```text
//! ring -> Block -> Frame -> decode -> Summary -> line -> output
//! ```
//!
//! The modules are private: this library exists for the binary and its unit tests. Each layer
//! defines its own configuration, `cli` fills it in, and only this file uses `cli`.

mod capture;
mod check;

mod cli;
mod counts;
mod dump;
mod error;
mod file;
mod filter;
mod flow_record;
mod flows;
mod http;
mod interfaces;
mod line_buffer;
mod line_formatter;
mod live;
mod metrics;
mod output;
mod outputs;
mod packet_buffer;
mod packet_file;
mod progress;
mod record_types;
mod rotation_schedule;
mod sandbox;
mod serve;
mod signals;
mod stream;
mod text_file;
mod timer;
mod top;

pub use error::Error;

use cli::{Action, Invocation};
use serve::Listener;

/// Exit status of a usage error.
pub const USAGE_ERROR: u8 = 2;

/// Prints the error of a run on standard error.
pub fn print_error(error: &Error) {
    progress::print_message(error);
}

/// Runs the command line of the process. A usage error exits with code 2.
///
/// # Errors
///
/// If the run cannot be completed; packets captured before the error have been written. A closed
/// standard output is not an error.
pub fn run() -> Result<(), Error> {
    signals::prepare()?;
    let Invocation { namespace, action } = cli::parse()?;
    // The page is served from the namespace of the process, whatever namespace is captured.
    let listener = match &action {
        Action::Capture(config) => config.serve.map(Listener::bind).transpose()?,
        _ => None,
    };
    // While the process has a single thread, and before it opens sockets for packets.
    let namespace = namespace.map(|name| name.enter()).transpose()?;
    if !matches!(action, Action::Capture(_)) {
        signals::unblock_hangup()?;
    }
    let result = match action {
        Action::Generate(what) => cli::generate(what),
        Action::ListInterfaces => interfaces::list(),
        Action::Check(options) => check::run(&options),
        Action::DumpFilter(config) => dump::run(&config),
        Action::Capture(config) => live::start(&config, namespace, listener),
        Action::ReadFiles(config) => file::run(&config),
        Action::CountPackets(config) => file::count(&config),
    };
    match result {
        Err(error) if error.is_closed_pipe() => Ok(()),
        result => result,
    }
}
