//! The binary: words in, an exit code out. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    match sniffer::run(&sniffer::cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sniffer: {error}");
            ExitCode::FAILURE
        }
    }
}
