//! Where packets come in: the ring of one interface, read here, or threads that read it.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::fanout::{Fanout, IDLE_INTERVAL};
use super::names::Names;
use crate::Error;
use crate::capture::Reader;
use crate::line_formatter::{CapturedPacket, FieldOptions};

/// The packets of one interface.
#[derive(Debug)]
pub(super) enum Intake {
    /// Read by the thread that writes.
    Direct {
        /// Its ring.
        reader: Reader,
        /// Names of interfaces.
        names: Names,
    },
    /// Read by threads of its own.
    Fanned(Fanout),
}

/// A packet on its way into the stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arrival<'a> {
    /// As it was captured.
    Seen(CapturedPacket<'a>),
    /// The filter does not take it.
    Skipped,
    /// As the text of its line behind the number, and its length on the wire.
    Line(u32, &'a [u8]),
}

impl Intake {
    /// An intake over these readers: one is read by the thread that writes.
    pub(super) fn new(
        mut readers: Vec<Reader>,
        names: &Names,
        details: FieldOptions,
    ) -> Result<Self, Error> {
        match (readers.pop(), readers.is_empty()) {
            (Some(reader), true) => Ok(Self::Direct { reader, names: names.clone() }),
            (last, _) => {
                readers.extend(last);
                Ok(Self::Fanned(Fanout::start(readers, names, details)?))
            }
        }
    }

    /// Hands the packets that are ready to `visit`, which says whether it wants more. `None` where
    /// there are none; else whether the kernel had dropped packets before one of them.
    pub(super) fn read(
        &mut self,
        mut visit: impl FnMut(Arrival<'_>) -> Result<bool, Error>,
    ) -> Result<Option<bool>, Error> {
        match self {
            Self::Direct { reader, names } => reader
                .read_block(|frames| {
                    while let Some(frame) = frames.next_frame() {
                        let arrival = if frame.is_accepted {
                            let interface = names.of(frame.interface_index);
                            Arrival::Seen(CapturedPacket::from_frame(&frame, interface))
                        } else {
                            Arrival::Skipped
                        };
                        if !visit(arrival)? {
                            break;
                        }
                    }
                    Ok(frames.has_losses())
                })
                .transpose(),
            Self::Fanned(fanout) => fanout.read(|len, text| match text {
                [] => visit(Arrival::Skipped),
                _ => visit(Arrival::Line(len, text)),
            }),
        }
    }

    /// How long at most to wait for its descriptor, where there is more to wait for.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self {
            Self::Direct { .. } => None,
            Self::Fanned(fanout) => fanout.is_waiting().then_some(IDLE_INTERVAL),
        }
    }

    /// Takes the error that polling reported.
    pub(super) fn take_error(&self) -> Result<(), Error> {
        match self {
            Self::Direct { reader, .. } => reader.take_error(),
            // The threads take theirs.
            Self::Fanned(_) => Ok(()),
        }
    }
}

impl AsFd for Intake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Direct { reader, .. } => reader.as_fd(),
            Self::Fanned(fanout) => fanout.as_fd(),
        }
    }
}
