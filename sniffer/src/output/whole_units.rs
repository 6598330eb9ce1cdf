//! The whole lines or blocks at the start of a file that a run left unfinished.

use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;
use summary::capture_file::{Reader, Step};

use super::framing::Framing;
use super::signature;
use crate::signals::Signals;

/// No line or block is longer: `meta` repeats the filter and the names of all input files, and the
/// reader of pcapng files accepts no block of 128 MiB.
const MAX_UNIT_LEN: usize = 128 << 20;

/// Bytes read at once.
const CHUNK_LEN: usize = 128 << 10;

/// The whole units at the start of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WholeUnits {
    /// Their length in bytes.
    pub(super) len: u64,
    /// Whether there is more than a description of the capture: lines besides `meta`, or packets.
    pub(super) have_packets: bool,
}

/// Copies the whole units. Returns `None` if the input is not a file of the sniffer, or if a
/// termination signal arrived.
pub(super) fn copy(
    framing: Framing,
    mut input: impl Read,
    mut output: impl Write,
    signals: Option<&Signals>,
) -> io::Result<Option<WholeUnits>> {
    let mut splitter = Splitter::new(framing);
    let (mut bytes, mut copied) = (Vec::new(), WholeUnits::default());
    let mut chunk = vec![0; CHUNK_LEN];
    loop {
        if let Some(signals) = signals
            && signals.wait(&[], Some(Duration::ZERO)).map_err(io::Error::other)?.is_stopped
        {
            return Ok(None);
        }
        let len = match input.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        };
        bytes.extend_from_slice(&chunk[..len]);
        if copied.len == 0 && !signature::is_start(&bytes, framing) || MAX_UNIT_LEN < bytes.len() {
            return Ok(None);
        }
        let whole = splitter.split(&bytes);
        output.write_all(&bytes[..whole])?;
        copied.len += whole as u64;
        copied.have_packets = splitter.has_packets();
        bytes.drain(..whole);
        if len == 0 || splitter.is_damaged() {
            return Ok(Some(copied));
        }
    }
}

/// Finds the ends of units in bytes that arrive in pieces.
enum Splitter {
    Lines {
        /// Number of lines so far.
        count: u64,
        /// Whether the first one is `meta`.
        has_meta: bool,
    },
    Blocks {
        reader: Reader,
        has_packets: bool,
        is_damaged: bool,
    },
}

impl Splitter {
    fn new(framing: Framing) -> Self {
        match framing {
            Framing::Lines => Self::Lines { count: 0, has_meta: false },
            Framing::Blocks => {
                Self::Blocks { reader: Reader::new(), has_packets: false, is_damaged: false }
            }
        }
    }

    /// Length of the whole units at the start of `bytes`, which follow those of the last call.
    fn split(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Lines { count, has_meta } => {
                let whole = Framing::Lines.whole_len(bytes, bytes.len());
                if *count == 0 {
                    *has_meta = bytes[..whole].starts_with(signature::META_START);
                }
                *count += Framing::Lines.count(&bytes[..whole]);
                whole
            }
            Self::Blocks { reader, has_packets, is_damaged } => {
                let mut whole = 0;
                loop {
                    whole += match reader.step(&bytes[whole..]) {
                        Ok(Step::Frame { consumed, .. }) => {
                            *has_packets = true;
                            consumed
                        }
                        Ok(Step::Skipped { consumed }) => consumed,
                        Ok(Step::NeedMore { .. }) => return whole,
                        Err(_) => {
                            *is_damaged = true;
                            return whole;
                        }
                    };
                }
            }
        }
    }

    fn has_packets(&self) -> bool {
        match *self {
            Self::Lines { count, has_meta } => u64::from(has_meta) < count,
            Self::Blocks { has_packets, .. } => has_packets,
        }
    }

    /// Whether no unit can follow. An incomplete last line does not show.
    fn is_damaged(&self) -> bool {
        matches!(self, Self::Blocks { is_damaged: true, .. })
    }
}
