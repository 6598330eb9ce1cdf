//! The binary: turns the library's result into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match sniffer::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            sniffer::print_error(&error);
            if error.is_usage() { ExitCode::from(sniffer::USAGE_ERROR) } else { ExitCode::FAILURE }
        }
    }
}
