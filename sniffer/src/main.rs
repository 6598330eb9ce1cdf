//! The binary: turns the library's result into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match sniffer::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sniffer: {error}");
            ExitCode::FAILURE
        }
    }
}
