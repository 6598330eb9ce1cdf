//! The receiving side of a capture: reads the ring unit by unit.

use filter::Program;
use socket2::Socket;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use summary::LinkType;

use super::frame::{FrameLayout, Frames};
use super::geometry::Version;
use super::ring::Ring;
use crate::Error;

/// The packets of a capture.
#[derive(Debug)]
pub(crate) struct Reader {
    socket: Arc<Socket>,
    ring: Ring,
    layout: FrameLayout,
    /// The filter, if the kernel does not run it.
    filter: Option<Arc<Program>>,
}

impl Reader {
    /// A reader of packets that the kernel filters.
    pub(super) fn new(socket: Arc<Socket>, ring: Ring, layout: FrameLayout) -> Self {
        Self { socket, ring, layout, filter: None }
    }

    /// Runs `filter` on all packets read from now on.
    pub(super) fn set_filter(&mut self, filter: Arc<Program>) {
        self.filter = Some(filter);
    }

    /// Expects frames of this link type, which the kernel filters.
    pub(super) fn set_link_type(&mut self, link: LinkType) {
        self.layout.link = link;
        self.filter = None;
    }

    /// Whether the kernel refused TPACKET_V3, and the ring has a slot for each frame.
    pub(crate) fn is_fallback(&self) -> bool {
        self.layout.version == Version::V2
    }

    /// The filter, if the kernel does not run it.
    pub(crate) fn filter(&self) -> Option<&Program> {
        self.filter.as_deref()
    }

    /// Whether all packets that the kernel has put into the ring have been read. May be false for
    /// an empty ring for a short time.
    pub(crate) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Passes the frames of the next unit to `visit`; `None` if the kernel has handed over none.
    pub(crate) fn read_block<T>(&mut self, visit: impl FnOnce(&mut Frames<'_>) -> T) -> Option<T> {
        let mut unit = self.ring.next_unit()?;
        let status = unit.status();
        let filter = self.filter.as_deref();
        Some(visit(&mut Frames::new(unit.body(), status, self.layout, filter)))
    }

    /// Takes the error that polling reported. An interface that is down is not an error: rtnetlink
    /// reports that, and when it is up again.
    pub(crate) fn take_error(&self) -> Result<(), Error> {
        match self.socket.take_error() {
            Ok(None) => Ok(()),
            Ok(Some(error)) if error.raw_os_error() == Some(libc::ENETDOWN) => Ok(()),
            Ok(Some(source)) | Err(source) => Err(Error::System { call: "poll", source }),
        }
    }
}

impl AsFd for Reader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
