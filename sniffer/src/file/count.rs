//! `--count`: the number of packets in files, without writing them.

use std::io::{self, Write};

use super::capture_file::CaptureFile;
use super::input::{Input, SignalHandler};
use super::{Config, open_all};
use crate::Error;
use crate::error::STANDARD_OUTPUT_NAME;
use crate::filter::Filter;
use crate::progress;
use crate::sandbox::{self, Policy};
use crate::signals::Signals;

/// Counts the packets that match the filter, at most `config.stream.count`, and prints the number
/// in the format of tcpdump. The output of `config` is not used.
///
/// # Errors
///
/// If a file cannot be read or is damaged; the packets before the damage and all packets of the
/// other files are counted.
pub(crate) fn count(config: &Config) -> Result<(), Error> {
    let open_files = open_all(config)?;
    let filter = Filter::new(&config.filter);
    filter.resolve_names();
    let signal_handler = SignalHandler::new(Signals::catch(false)?);
    if let Some(message) =
        sandbox::enter(&config.sandbox, &Policy::MINIMAL)?.filter(|_| !config.is_quiet)
    {
        progress::print_message(message);
    }
    let limit = config.stream.count.unwrap_or(u64::MAX);
    let mut count = 0;
    let mut failures = Vec::new();
    for file in open_files {
        let input = Input::new(file, &signal_handler)?;
        let mut file = CaptureFile::new(input, config.stream.snaplen as usize, &filter);
        while count < limit {
            while !file.next_matching()? {
                failures.extend(file.read().err());
            }
            if file.next_timestamp().is_none() {
                break;
            }
            count += 1;
            signal_handler.out.set(count);
        }
    }
    let unit = if count == 1 { "packet" } else { "packets" };
    writeln!(io::stdout(), "{count} {unit}")
        .map_err(|source| Error::Output { name: STANDARD_OUTPUT_NAME.into(), source })?;
    // After a signal the files seem to be cut short. That is not an error.
    match failures.pop().filter(|_| !signal_handler.is_stopped()) {
        None => Ok(()),
        Some(last) => {
            // `main` prints the last one.
            failures.iter().for_each(progress::print_message);
            Err(last)
        }
    }
}
