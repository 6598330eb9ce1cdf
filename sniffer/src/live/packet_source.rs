//! Where the packets of one interface come from: a ring read on the main thread, or reader threads.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::fanout::{Fanout, IDLE_INTERVAL};
use super::interface_names::InterfaceNames;
use super::packet_event::PacketEvent;
use crate::Error;
use crate::capture::Reader;
use crate::line_formatter::CapturedPacket;
use crate::stream;

/// The packets of one interface.
#[derive(Debug)]
pub(super) enum PacketSource {
    /// One ring, read on the main thread.
    Direct { reader: Reader, names: InterfaceNames },
    /// Several rings, each read by a thread.
    Threaded(Fanout),
}

impl PacketSource {
    /// Reads a single reader on the main thread, several on a thread each.
    pub(super) fn new(
        mut readers: Vec<Reader>,
        names: &InterfaceNames,
        options: &stream::Options,
    ) -> Result<Self, Error> {
        match (readers.pop(), readers.is_empty()) {
            (Some(reader), true) => Ok(Self::Direct { reader, names: names.clone() }),
            (last, _) => {
                readers.extend(last);
                Ok(Self::Threaded(Fanout::start(readers, names, options)?))
            }
        }
    }

    /// Passes packets that are ready to `visit`, until it returns false. False if there are none.
    pub(super) fn read(
        &mut self,
        mut visit: impl FnMut(PacketEvent<'_>) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let (reader, names) = match self {
            Self::Direct { reader, names } => (reader, names),
            Self::Threaded(fanout) => return fanout.read(visit),
        };
        let read = reader.read_block(|frames| {
            if frames.has_losses() && !visit(PacketEvent::Losses)? {
                return Ok(());
            }
            while let Some(frame) = frames.next_frame() {
                let event = if frame.is_accepted {
                    let name = names.get(frame.interface_index);
                    PacketEvent::Accepted(CapturedPacket::from_frame(&frame, name))
                } else {
                    PacketEvent::Rejected
                };
                if !visit(event)? {
                    break;
                }
            }
            Ok(())
        });
        read.transpose().map(|read| read.is_some())
    }

    /// How long to wait for the file descriptor at most: pending lines of threads can become ready
    /// without it.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        match self {
            Self::Direct { .. } => None,
            Self::Threaded(fanout) => fanout.has_pending().then_some(IDLE_INTERVAL),
        }
    }

    /// Takes the error that polling reported.
    pub(super) fn take_error(&self) -> Result<(), Error> {
        match self {
            Self::Direct { reader, .. } => reader.take_error(),
            // Each thread takes those of its socket.
            Self::Threaded(_) => Ok(()),
        }
    }
}

impl AsFd for PacketSource {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Direct { reader, .. } => reader.as_fd(),
            Self::Threaded(fanout) => fanout.as_fd(),
        }
    }
}
