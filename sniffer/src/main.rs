//! The binary: turns the library's result into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match sniffer::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            sniffer::print_error(&error);
            ExitCode::FAILURE
        }
    }
}
