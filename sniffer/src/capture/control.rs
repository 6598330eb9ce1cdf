//! The control side of a capture: filter, binding and counters of its socket.

use filter::Program;
use socket2::{SockFilter, Socket};
use std::io;
use std::sync::Arc;
use summary::LinkType;

use super::options::Options;
use super::reader::Reader;
use super::socket_filter;
use super::sys::{self, Statistics};
use crate::Error;
use crate::interfaces::{self, Interface};

/// An open capture. Its [`Reader`] has the packets.
#[derive(Debug)]
pub(crate) struct Capture {
    socket: Arc<Socket>,
    /// The interface's name at the start, for messages.
    name: String,
    options: Options,
    /// Which packets to take, among those selected by the options; `None` takes all.
    filter: Option<Arc<Program>>,
    /// The same for the kernel; `None` if it cannot express the filter.
    kernel_filter: Option<Arc<Program>>,
    counters: Counters,
}

/// The kernel's counters since the capture began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Packets that passed the filter, including dropped ones.
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

impl std::ops::Add for Counters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            recv: self.recv + other.recv,
            drop: self.drop + other.drop,
            freeze: self.freeze + other.freeze,
        }
    }
}

impl Capture {
    /// Takes control of a socket. `kernel_filter` is `filter` as the kernel can run it.
    pub(super) fn new(
        socket: Arc<Socket>,
        name: String,
        options: Options,
        filter: Option<Arc<Program>>,
        kernel_filter: Option<Arc<Program>>,
    ) -> Self {
        Self { socket, name, options, filter, kernel_filter, counters: Counters::default() }
    }

    /// Moves the capture to another interface after the one it was bound to was removed. Needs no
    /// privilege. `reader` must be the reader of this capture.
    pub(crate) fn attach(&self, reader: &mut Reader, interface: &Interface) -> Result<(), Error> {
        // The filter must know which interface is loopback before packets arrive.
        self.install_filter(reader, interface)?;
        self.bind(interface)
    }

    /// Expects frames of another link type from the next interface. All frames of the previous one
    /// must have been read. `filter` is the capture's filter for that link type.
    pub(crate) fn set_link_type(
        &mut self,
        reader: &mut Reader,
        link: LinkType,
        filter: Option<Arc<Program>>,
    ) {
        self.kernel_filter.clone_from(&filter);
        self.filter = filter;
        reader.set_link_type(link);
    }

    /// Binds the socket to an interface, which starts reception.
    pub(super) fn bind(&self, interface: &Interface) -> Result<(), Error> {
        if self.options.is_promiscuous && interface.index != 0 {
            sys::set_promiscuous(&self.socket, interface.index)
                .map_err(|source| self.failed("PACKET_ADD_MEMBERSHIP", source))?;
        }
        sys::bind(&self.socket, interface.index).map_err(|source| self.failed("bind", source))
    }

    /// Joins a fanout group, or creates one. Returns its id.
    pub(super) fn join_fanout(&self, group: Option<u16>) -> Result<u16, Error> {
        sys::join_fanout(&self.socket, group).map_err(|source| self.failed("PACKET_FANOUT", source))
    }

    /// Lets packets in. If the kernel cannot run the filter, the reader does: the filter is too
    /// long, takes more memory than the kernel allows, or depends on the cooked header of `any`.
    pub(super) fn install_filter(
        &self,
        reader: &mut Reader,
        interface: &Interface,
    ) -> Result<(), Error> {
        let Options { snaplen, direction, .. } = self.options;
        let loopback = loopback_index(interface)?;
        if let Some(filter) = &self.kernel_filter {
            let program = socket_filter::accept(snaplen, direction, loopback, Some(filter));
            if program.len() <= Program::KERNEL_MAX_LEN {
                match self.socket.attach_filter(&program) {
                    Ok(()) => return Ok(()),
                    // Exceeds net.core.optmem_max. The filter being replaced still counts towards it,
                    // so the kernel can refuse a filter that it accepted earlier.
                    Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => {}
                    Err(source) => return Err(self.failed("SO_ATTACH_FILTER", source)),
                }
            }
        }
        // The reader first: once the socket accepts all packets, none may pass unfiltered.
        if let Some(filter) = &self.filter {
            reader.set_filter(filter.clone());
        }
        self.set_socket_filter(&socket_filter::accept(snaplen, direction, loopback, None))
    }

    /// Rejects all further packets. Those in the ring can still be read.
    pub(crate) fn reject_all(&self) -> Result<(), Error> {
        self.set_socket_filter(&socket_filter::reject_all())
    }

    fn set_socket_filter(&self, program: &[SockFilter]) -> Result<(), Error> {
        let attached = self.socket.attach_filter(program);
        attached.map_err(|source| self.failed("SO_ATTACH_FILTER", source))
    }

    /// Reads the kernel's counters.
    pub(crate) fn counters(&mut self) -> Result<Counters, Error> {
        let statistics = sys::statistics(&self.socket)
            .map_err(|source| self.failed("PACKET_STATISTICS", source))?;
        self.counters.add(statistics);
        Ok(self.counters)
    }

    fn failed(&self, call: &'static str, source: io::Error) -> Error {
        Error::Socket { interface: self.name.clone(), call, source }
    }
}

/// Index of the loopback interface if a capture on `interface` sees it.
fn loopback_index(interface: &Interface) -> Result<Option<u32>, Error> {
    if interface.index != 0 {
        return Ok(interface.is_loopback.then_some(interface.index));
    }
    let loopback = interfaces::all()?.into_iter().find(|interface| interface.is_loopback);
    Ok(loopback.map(|interface| interface.index))
}
