//! One packet socket with its ring: opened so that nothing arrives before all is set, read block by
//! block, closed to new packets before the last are drained.

mod frame;
mod program;
mod ring;
mod sys;

pub(crate) use frame::{Frame, Frames};

use crate::Error;
use crate::cli::Direction;
use crate::interfaces::{self, Interface};
use ring::Ring;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd};
use summary::LinkType;
use sys::{Mapping, RingGeometry, Statistics};

/// A block with packets in it is handed over after this time at the latest, in milliseconds.
const RETIRE_MS: u32 = 10;
/// The same where latency counts more than CPU time.
const IMMEDIATE_RETIRE_MS: u32 = 1;

/// What a capture is opened with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) snaplen: u32,
    pub(crate) is_promiscuous: bool,
    pub(crate) direction: Direction,
    pub(crate) buffer_kib: u32,
    pub(crate) block_kib: u32,
    pub(crate) is_immediate: bool,
}

impl Options {
    /// Whole pages a block, and two blocks at least: one to be filled while one is read.
    fn geometry(&self) -> RingGeometry {
        let block_len = (self.block_kib as usize * 1024).next_multiple_of(PAGE_LEN);
        let block_count = (self.buffer_kib as usize * 1024 / block_len).max(2);
        let retire_ms = if self.is_immediate { IMMEDIATE_RETIRE_MS } else { RETIRE_MS };
        RingGeometry { block_len, block_count, retire_ms }
    }
}

/// The largest page of the architectures that Linux runs on with usual settings.
const PAGE_LEN: usize = 64 << 10;

/// An open capture on one interface, or on all.
#[derive(Debug)]
pub(crate) struct Capture {
    socket: Socket,
    ring: Ring,
    interface: Interface,
    link: LinkType,
    snaplen: u32,
    counters: Counters,
}

/// The kernel's counters since the capture began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Packets accepted, those dropped included.
    pub(crate) recv: u64,
    /// Packets dropped because the ring was full.
    pub(crate) drop: u64,
    /// Times the ring was full.
    pub(crate) freeze: u64,
}

impl Counters {
    fn add(&mut self, statistics: Statistics) {
        self.recv += u64::from(statistics.packets);
        self.drop += u64::from(statistics.drops);
        self.freeze += u64::from(statistics.freezes);
    }
}

impl Capture {
    /// Opens the socket for no protocol, sets ring and filter, binds last: not one packet arrives
    /// that the filter has not seen.
    pub(crate) fn open(interface: Interface, options: &Options) -> Result<Self, Error> {
        let geometry = options.geometry();
        let Some(link) = interface.link_type() else {
            return Err(Error::LinkType { name: interface.name, arphrd: interface.arphrd });
        };
        if !interface.is_up {
            return Err(Error::InterfaceDown { name: interface.name });
        }
        let failed = |call| {
            let interface = interface.name.clone();
            move |source| Error::Socket { interface, call, source }
        };
        let kind = if interface.index == 0 { Type::DGRAM } else { Type::RAW };
        let socket = Socket::new(Domain::PACKET, kind, Some(Protocol::from(0)))
            .map_err(|source| not_opened(source, &interface.name))?;
        let version = libc::tpacket_versions::TPACKET_V3 as i32;
        sys::set_option(&socket, libc::PACKET_VERSION, version)
            .map_err(failed("PACKET_VERSION"))?;
        sys::set_option(&socket, libc::PACKET_RESERVE, frame::HEADROOM)
            .map_err(failed("PACKET_RESERVE"))?;
        sys::set_ring(&socket, geometry)
            .map_err(|source| Error::Buffer { kib: geometry.len() / 1024, source })?;
        let len = NonZeroUsize::new(geometry.len()).unwrap_or(NonZeroUsize::MIN);
        let mapping = Mapping::of_ring(&socket, len).map_err(failed("mmap"))?;
        let ring = Ring::new(mapping, geometry);
        let loopback = loopback_index(&interface)?;
        socket
            .attach_filter(&program::accept(options.snaplen, options.direction, loopback))
            .map_err(failed("SO_ATTACH_FILTER"))?;
        if options.is_promiscuous && interface.index != 0 {
            sys::set_promiscuous(&socket, interface.index)
                .map_err(failed("PACKET_ADD_MEMBERSHIP"))?;
        }
        sys::bind(&socket, interface.index).map_err(failed("bind"))?;
        let snaplen = options.snaplen;
        Ok(Self { socket, ring, interface, link, snaplen, counters: Counters::default() })
    }

    pub(crate) fn interface(&self) -> &Interface {
        &self.interface
    }

    pub(crate) fn link(&self) -> LinkType {
        self.link
    }

    /// Hands the frames of the next block to `visit`; false where the kernel has none ready.
    pub(crate) fn read_block<E>(
        &mut self,
        visit: impl FnOnce(&mut Frames<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let Some(mut block) = self.ring.next_block() else { return Ok(false) };
        let is_cooked = self.link == LinkType::LINUX_SLL2;
        visit(&mut Frames::new(block.body(), is_cooked, self.snaplen)).map(|()| true)
    }

    /// The kernel's counters as of now.
    pub(crate) fn counters(&mut self) -> Result<Counters, Error> {
        let statistics = sys::statistics(&self.socket)
            .map_err(|source| self.failed("PACKET_STATISTICS", source))?;
        self.counters.add(statistics);
        Ok(self.counters)
    }

    /// Lets no more packets in; those in the ring stay to be read.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let attached = self.socket.attach_filter(&program::reject());
        attached.map_err(|source| self.failed("SO_ATTACH_FILTER", source))
    }

    /// Takes the error that polling reported: true where the interface went down.
    pub(crate) fn take_down(&self) -> Result<bool, Error> {
        match self.socket.take_error() {
            Ok(None) => Ok(false),
            Ok(Some(error)) if error.raw_os_error() == Some(libc::ENETDOWN) => Ok(true),
            Ok(Some(source)) | Err(source) => Err(self.failed("poll", source)),
        }
    }

    fn failed(&self, call: &'static str, source: io::Error) -> Error {
        Error::Socket { interface: self.interface.name.clone(), call, source }
    }
}

impl AsFd for Capture {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn not_opened(source: io::Error, interface: &str) -> Error {
    match source.kind() {
        io::ErrorKind::PermissionDenied => Error::NoPermission {
            program: std::env::current_exe().unwrap_or_else(|_| "sniffer".into()),
        },
        _ => Error::Socket { interface: interface.to_owned(), call: "socket", source },
    }
}

/// The loopback interface, where this capture sees it.
fn loopback_index(interface: &Interface) -> Result<Option<u32>, Error> {
    if interface.index != 0 {
        return Ok(interface.is_loopback.then_some(interface.index));
    }
    let loopback = interfaces::all()?.into_iter().find(|interface| interface.is_loopback);
    Ok(loopback.map(|interface| interface.index))
}
